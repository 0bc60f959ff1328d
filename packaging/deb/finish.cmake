# What Debian's policy asks of the tree that cmake --install has made: run by
# cpack, with that tree in CPACK_TEMPORARY_DIRECTORY, before it is packed.
#
# Everything in it gets one time, SOURCE_DATE_EPOCH, so that the same sources
# give the same package.
cmake_minimum_required(VERSION 3.25)

set(tree ${CPACK_TEMPORARY_DIRECTORY})
set(here ${CMAKE_CURRENT_LIST_DIR})
set(doc ${tree}/usr/share/doc/tracespool)
set(version ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# string(TIMESTAMP) takes SOURCE_DATE_EPOCH where it is set.
string(TIMESTAMP seconds "%s" UTC)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)

file(READ ${here}/copyright copyright)
file(WRITE ${doc}/copyright "${copyright}")
file(WRITE ${doc}/changelog.Debian "tracespool (${version}) bookworm; urgency=medium

  * Package of ${CPACK_PACKAGE_VERSION}. What is new in it: changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
file(RENAME ${doc}/CHANGELOG.md ${doc}/changelog)
file(REMOVE ${doc}/LICENSE) # copyright names it
set(compressed ${doc}/changelog ${doc}/changelog.Debian)

# Manual pages and completion come from the build, where it makes them.
file(GLOB_RECURSE manuals ${tree}/usr/share/man/*)
list(APPEND compressed ${manuals})
if(EXISTS ${tree}/usr/share/zsh/site-functions)
  file(RENAME ${tree}/usr/share/zsh/site-functions ${tree}/usr/share/zsh/vendor-completions)
endif()

run(gzip -9n ${compressed})
run(find ${tree} -type d -exec chmod 0755 {} +)
run(find ${tree} -type f -not -perm -u+x -exec chmod 0644 {} +)
run(find ${tree} -depth -exec touch --no-dereference --date=@${seconds} {} +)
