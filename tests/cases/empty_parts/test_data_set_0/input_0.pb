Binput_0J(h
?d­s=Dƒ†=<;?úÕk?[¨¿Kî=>SšÛ?NA?JßC¿