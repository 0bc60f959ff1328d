# What is installed, and where.
#
# The directories are those of GNUInstallDirs, with one difference: under /usr
# and /usr/local the configuration is in /etc, where an administrator looks for
# it.  Under another prefix all of it is below that prefix, and the programs and
# the unit that are built for it look there.
if(NOT DEFINED CMAKE_INSTALL_SYSCONFDIR AND CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
  set(CMAKE_INSTALL_SYSCONFDIR /etc CACHE STRING "Configuration")
endif()
include(GNUInstallDirs)

# Where systemd looks below /usr and /usr/local; Debian 12 has units in /lib.
set(TRACESPOOL_UNIT_DIR lib/systemd/system CACHE STRING "Units of systemd")
set(TRACESPOOL_SYSUSERS_DIR lib/sysusers.d CACHE STRING "Users, for systemd-sysusers")

# Not CMAKE_INSTALL_FULL_SYSCONFDIR, which is /etc/opt/... below /opt.
set(TRACESPOOL_CONF_DIR ${CMAKE_INSTALL_SYSCONFDIR}/tracespool)
cmake_path(ABSOLUTE_PATH TRACESPOOL_CONF_DIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX})
set(TRACESPOOL_DOC_DIR ${CMAKE_INSTALL_DATAROOTDIR}/doc/tracespool)

# The unit stands in the tree as it is for /usr.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/systemd/tracespoold.service)
file(READ ${CMAKE_SOURCE_DIR}/systemd/tracespoold.service unit)
string(REPLACE "/usr/sbin/tracespoold" "${CMAKE_INSTALL_FULL_SBINDIR}/tracespoold" unit "${unit}")
string(REPLACE "/etc/tracespool/" "${TRACESPOOL_CONF_DIR}/" unit "${unit}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/systemd/tracespoold.service CONTENT "${unit}" @ONLY)

# What an administrator has written stays.
install(CODE "set(conf \"${CMAKE_INSTALL_SYSCONFDIR}/tracespool/tracespool.conf\")
set(default \"${CMAKE_SOURCE_DIR}/etc/tracespool.conf\")")
install(CODE [[
cmake_path(ABSOLUTE_PATH conf BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}")
if(EXISTS "$ENV{DESTDIR}${conf}")
  message(STATUS "Kept: $ENV{DESTDIR}${conf}")
else()
  cmake_path(GET conf PARENT_PATH folder)
  file(INSTALL "${default}" DESTINATION "${folder}")
endif()
]])
install(FILES ${CMAKE_BINARY_DIR}/systemd/tracespoold.service DESTINATION ${TRACESPOOL_UNIT_DIR})
install(FILES systemd/tracespool.sysusers.conf DESTINATION ${TRACESPOOL_SYSUSERS_DIR} RENAME tracespool.conf)
# In the layout of the repository, so that links between the texts hold.
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${TRACESPOOL_DOC_DIR})
install(DIRECTORY docs deploy DESTINATION ${TRACESPOOL_DOC_DIR})
