Boutput_1J(h
?d­s=Dƒ†=<;?úÕk?[¨¿Kî=>SšÛ?NA?JßC¿