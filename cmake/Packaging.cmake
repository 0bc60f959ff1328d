# The Debian package, by cpack -G DEB.  packaging/build calls it as it is meant.
set(TRACESPOOL_PACKAGE_CONTACT "tracespool maintainers <maintainers@tracespool.invalid>"
    CACHE STRING "Who answers for the package: Name <address>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tracespool)
set(CPACK_PACKAGE_CONTACT ${TRACESPOOL_PACKAGE_CONTACT})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "durable spool-and-forward receiver for OpenTelemetry traces")
set(CPACK_PACKAGE_DESCRIPTION
    "Collectors and SDKs send OTLP over gRPC or HTTP; tracespoold writes each batch
to a spool on local disk, syncs it, answers OK, and delivers it to MongoDB
afterwards, for as long as that takes. A full spool refuses and never
overwrites; a trace that is sent twice is stored once.
.
The command tracespool shows what waits, beside the daemon or without it, and
lets an operator hold, release, replay and salvage it.")
# Absolute paths (/etc, /lib/systemd) are part of the package.
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/packaging/deb/finish.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1) # packaging/build gives another one
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Whose systemd-sysusers makes the user; the smaller ones are for containers.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/packaging/deb/conffiles ${CMAKE_SOURCE_DIR}/packaging/deb/postinst
    ${CMAKE_SOURCE_DIR}/packaging/deb/prerm ${CMAKE_SOURCE_DIR}/packaging/deb/postrm)
include(CPack)
