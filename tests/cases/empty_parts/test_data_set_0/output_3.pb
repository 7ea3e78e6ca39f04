Boutput_3J(h
?d­s=Dƒ†=<;?úÕk?[¨¿Kî=>SšÛ?NA?JßC¿