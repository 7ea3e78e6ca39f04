Boutput_2Jh
?dнs=[Ни┐Kю=>