Boutput_4J(h
?d­s=Dƒ†=<;?úÕk?[¨¿Kî=>SšÛ?NA?JßC¿