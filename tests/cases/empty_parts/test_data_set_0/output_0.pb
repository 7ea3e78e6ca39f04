Boutput_0J(Dƒ†=<;?úÕk?h
?d­s=SšÛ?NA?JßC¿[¨¿Kî=>