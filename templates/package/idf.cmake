# The neural network @NAME@, compiled by skipc @VERSION@, as a component of ESP-IDF: components/@NAME@, then #include "@NAME@.h".
idf_component_register(SRCS src/@NAME@.c src/@NAME@_weights.c src/@NAME@_gemm.c INCLUDE_DIRS src)
target_compile_options(${COMPONENT_LIB} PRIVATE -O2) # at -O0 a hundred times as slow
