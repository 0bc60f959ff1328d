# Flags for every target of the project; third-party code is not built here.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
                    -Wwrite-strings -Wformat=2 -Wundef -Wvla -fno-common -fstack-protector-strong)
add_link_options(-Wl,-z,relro -Wl,-z,now)

# Asserts stay on in every build type: they guard against our own bugs, and a
# spool that goes on after one may write what it should not.
foreach(type RELEASE RELWITHDEBINFO MINSIZEREL)
  string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${type} "${CMAKE_C_FLAGS_${type}}")
endforeach()

if(TRACESPOOL_WERROR)
  add_compile_options(-Werror)
endif()
if(TRACESPOOL_FAULTS)
  add_compile_definitions(TRACESPOOL_FAULTS)
endif()
if(TRACESPOOL_SANITIZE)
  add_compile_options(-fsanitize=${TRACESPOOL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TRACESPOOL_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
