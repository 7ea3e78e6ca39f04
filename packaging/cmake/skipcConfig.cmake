# find_package(skipc) gives the program, SKIPC_EXECUTABLE, the files that may be linked beside what it makes,
# skipc::pool (where there are threads) and skipc::weights, and
#
#     skipc_add_model(TARGET MODEL [NAME name] [OPTIONS option ...])
#
# which makes TARGET a static library of the network in the file MODEL: TARGET's name, or NAME, is what its header and
# functions are called. It is made again when the model, its external data, a file of --costs or skipc changes.
#
#     find_package(skipc REQUIRED)
#     skipc_add_model(digits digits.onnx OPTIONS --exact)
#     target_link_libraries(app PRIVATE digits)              # app.c: #include "digits.h"
#
# OPTIONS are those of skipc compile, from the folder of this CMakeLists.txt; without --target it is that of the
# processor, or c; --byte-order=big where that is so. The property SKIPC_WEIGHTS of TARGET is the path that
# --weights=bin writes. Without optimisation generated code is a hundred times as slow: where neither the configuration
# nor CMAKE_C_FLAGS has any, this file adds -O2, in Debug builds too.
#
# Where a toolchain file sets CMAKE_FIND_ROOT_PATH_MODE_PACKAGE to ONLY: -Dskipc_DIR=the folder of this file.
cmake_minimum_required(VERSION 3.20)

get_property(_skipc_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
if(NOT "C" IN_LIST _skipc_languages)
	enable_language(C)
endif()
unset(_skipc_languages)

# PREFIX/share/cmake/skipc, or packaging/cmake of the source tree.
find_program(SKIPC_EXECUTABLE skipc NO_CMAKE_FIND_ROOT_PATH
	HINTS "${CMAKE_CURRENT_LIST_DIR}/../../../bin" "${CMAKE_CURRENT_LIST_DIR}/../../build")
find_path(SKIPC_RUNTIME skipc_pool.h NO_CMAKE_FIND_ROOT_PATH
	HINTS "${CMAKE_CURRENT_LIST_DIR}/../../../libexec/skipc/runtime" "${CMAKE_CURRENT_LIST_DIR}/../../skipc/runtime"
	"${CMAKE_CURRENT_LIST_DIR}/../../runtime")
mark_as_advanced(SKIPC_EXECUTABLE SKIPC_RUNTIME)
if(NOT SKIPC_EXECUTABLE)
	set(skipc_FOUND FALSE)
	set(skipc_NOT_FOUND_MESSAGE "there is no program skipc; SKIPC_EXECUTABLE says where it is")
	return()
endif()

if(SKIPC_RUNTIME AND NOT TARGET skipc::weights)
	add_library(skipc_weights STATIC EXCLUDE_FROM_ALL "${SKIPC_RUNTIME}/skipc_weights.c")
	add_library(skipc::weights ALIAS skipc_weights)
	target_include_directories(skipc_weights PUBLIC "${SKIPC_RUNTIME}")
	find_package(Threads QUIET)
	if(Threads_FOUND)
		add_library(skipc_pool STATIC EXCLUDE_FROM_ALL "${SKIPC_RUNTIME}/skipc_pool.c")
		add_library(skipc::pool ALIAS skipc_pool)
		target_include_directories(skipc_pool PUBLIC "${SKIPC_RUNTIME}")
		target_link_libraries(skipc_pool PUBLIC Threads::Threads)
	endif()
endif()

# What is right for this machine unless OPTIONS say otherwise.
function(_skipc_defaults result)
	set(options --target=c)
	if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
		set(options --target=x86-64)
	elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
		set(options --target=aarch64)
	endif()
	if(CMAKE_C_BYTE_ORDER STREQUAL "BIG_ENDIAN")
		list(APPEND options --byte-order=big)
	endif()
	set(${result} ${options} PARENT_SCOPE)
endfunction()

# OPTIONS, with the file of --costs as a path that holds elsewhere.
function(_skipc_options result)
	set(options)
	set(is_costs FALSE)
	foreach(option IN LISTS ARGN)
		if(is_costs)
			get_filename_component(option "${option}" ABSOLUTE)
		elseif(option MATCHES "^--costs=(.*)$")
			get_filename_component(option "${CMAKE_MATCH_1}" ABSOLUTE)
			set(option "--costs=${option}")
		endif()
		string(COMPARE EQUAL "${option}" "--costs" is_costs)
		list(APPEND options "${option}")
	endforeach()
	set(${result} ${options} PARENT_SCOPE)
endfunction()

function(skipc_add_model target model)
	cmake_parse_arguments(PARSE_ARGV 2 arg "" "NAME" "OPTIONS")
	if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES)
		message(FATAL_ERROR "skipc_add_model(TARGET MODEL [NAME name] [OPTIONS option ...]), not: "
			"${ARGV} ${arg_KEYWORDS_MISSING_VALUES}")
	endif()
	if(NOT arg_NAME)
		string(MAKE_C_IDENTIFIER "${target}" arg_NAME)
	endif()
	get_filename_component(model "${model}" ABSOLUTE)
	_skipc_defaults(defaults)
	_skipc_options(options ${arg_OPTIONS})
	set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}.skipc")
	set(files "${folder}/${arg_NAME}.h") # the one that the rule in NAME.d is of
	foreach(end .c _weights.c _gemm.c)
		list(APPEND files "${folder}/${arg_NAME}${end}")
	endforeach()
	add_custom_command(OUTPUT ${files}
		COMMAND "${SKIPC_EXECUTABLE}" compile -q "${model}" -o "${folder}" --name "${arg_NAME}" --for-build ${defaults} ${options}
		DEPENDS "${model}" "${SKIPC_EXECUTABLE}" DEPFILE "${folder}/${arg_NAME}.d"
		WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" COMMENT "Compiling the network ${arg_NAME}" VERBATIM)
	add_library(${target} STATIC ${files})
	target_include_directories(${target} PUBLIC "${folder}")
	target_compile_features(${target} PRIVATE c_std_99)
	set_target_properties(${target} PROPERTIES SKIPC_WEIGHTS "${folder}/${arg_NAME}_weights.bin")
	if(CMAKE_C_COMPILER_ID MATCHES "GNU|Clang" AND NOT CMAKE_C_FLAGS MATCHES "-O")
		foreach(configuration Debug "")
			string(TOUPPER "CMAKE_C_FLAGS_${configuration}" flags)
			if(NOT "${${flags}}" MATCHES "-O[1-9s]")
				target_compile_options(${target} PRIVATE "$<$<CONFIG:${configuration}>:-O2>")
			endif()
		endforeach()
	endif()
endfunction()
