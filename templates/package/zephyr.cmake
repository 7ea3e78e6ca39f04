# The neural network @NAME@, compiled by skipc @VERSION@, in a Zephyr application: #include "@NAME@.h".
if(CONFIG_SKIPC_@UPPER@)
  zephyr_include_directories(src)
  zephyr_library_named(@NAME@)
  zephyr_library_sources(src/@NAME@.c src/@NAME@_weights.c src/@NAME@_gemm.c)
  if(CONFIG_NO_OPTIMIZATIONS OR CONFIG_DEBUG_OPTIMIZATIONS)
    zephyr_library_compile_options(-O2) # else a hundred times as slow
  endif()
endif()
