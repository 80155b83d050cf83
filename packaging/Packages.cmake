# CPack: a .deb for each component, and one archive of all of them with a model
# that runs at once. ./dev package makes the .debs in a build on Debian's shared
# libraries and the archive in one that has all inside.
set(archive_files ${PROJECT_SOURCE_DIR}/LICENSE)
if(NOT LLAMA_RUNTIME_ONLY AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(model ${CMAKE_CURRENT_BINARY_DIR}/tiny.so)
  file(GLOB checkpoint CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/tiny/*)
  add_custom_command(OUTPUT ${model}
    COMMAND llama-compile ${PROJECT_SOURCE_DIR}/examples/tiny --mcpu=x86-64-v3,x86-64-v4,sapphirerapids
      --quiet -o ${model}
    DEPENDS llama-compile ${checkpoint} VERBATIM)
  add_custom_target(tiny-model DEPENDS ${model})
  list(APPEND archive_files ${model})
endif()
install(FILES ${archive_files} DESTINATION ${CMAKE_INSTALL_DATADIR}/llamart COMPONENT archive EXCLUDE_FROM_ALL)

set(CPACK_PACKAGE_NAME llamart)
set(CPACK_PACKAGE_CONTACT ${LLAMA_PACKAGE_CONTACT})
set(CPACK_PACKAGE_FILE_NAME llamart-${PROJECT_VERSION}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_BINARY_DIR}/PackageKinds.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_BINARY_DIR}/AddDebianFiles.cmake)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(PACKAGE_COMPONENTS runtime development tools)
if(NOT LLAMA_RUNTIME_ONLY)
  list(APPEND PACKAGE_COMPONENTS compiler)
endif()
configure_file(changelog.in changelog @ONLY)
configure_file(PackageKinds.cmake.in PackageKinds.cmake @ONLY)
configure_file(AddDebianFiles.cmake.in AddDebianFiles.cmake @ONLY)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SOURCE llama-compile)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
foreach(component IN LISTS PACKAGE_COMPONENTS)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${PACKAGE_${component}})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION utils)
endforeach()
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libllamart0 (= ${PROJECT_VERSION}), libpcre2-dev, libutf8proc-dev")
# dpkg-shlibdeps finds libmlir-22, which needs it, and leaves it at that.
set(CPACK_DEBIAN_COMPILER_PACKAGE_DEPENDS "libllvm22 (>= 1:22.1)")
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_BINARY_DIR}/triggers)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
"runs compiled Llama models
A library that opens a model.so as llama-compile makes it, and generates text
with it: sessions, a paged KV cache, samplers, streaming.")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"headers and archive of libllamart
The interface is llamart.h for C and llamart.hpp for C++20. With it come files
for pkg-config and for find_package of CMake.")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
"generates text with compiled Llama models
llama-generate answers prompts and chats; llama-measure tells how fast a model
is, what bounds it, and how good.")
set(CPACK_COMPONENT_COMPILER_DESCRIPTION
"compiles Llama checkpoints into shared objects
llama-compile turns a checkpoint into one model.so, with code for one or for
several processors; llama-weights inspects, checks and converts checkpoints.")
include(CPack)
