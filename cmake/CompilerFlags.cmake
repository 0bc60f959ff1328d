# Flags for every target of the project; third-party code is not built here.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C) # else only compiled for it, not linked so

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
                    -Wwrite-strings -Wformat=2 -Wundef -Wvla -fno-common -fstack-protector-strong)
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)

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
  # What scripts/check_hardening.py looks for in the programs.
  add_compile_definitions(_FORTIFY_SOURCE=2)
  check_c_compiler_flag(-fstack-clash-protection HAVE_STACK_CLASH_PROTECTION) # clang: not for every processor
  if(HAVE_STACK_CLASH_PROTECTION)
    add_compile_options(-fstack-clash-protection)
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
    # Debian 12's startup code has no mark of its own, so the linker would leave
    # out shadow stacks, which it keeps to.  Indirect branches it does not: the
    # programs' code is ready for that, the whole cannot be marked so.
    add_compile_options(-fcf-protection=full)
    add_link_options(-Wl,-z,shstk)
  endif()
  # The same bits wherever it is built; the later one wins, for a build tree inside the sources.
  add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)
endif()
