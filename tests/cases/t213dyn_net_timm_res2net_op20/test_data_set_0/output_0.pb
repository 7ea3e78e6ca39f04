Boutput_0JŽf
¾nÉ¿Î†=>P¿NM>