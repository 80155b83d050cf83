# PCRE2 and utf8proc, as LlamaTextLibraries: shared, or archives where
# LLAMART_STATIC is set, whose paths and Debian packages are kept for what is
# installed.
add_library(LlamaTextLibraries INTERFACE)
if(LLAMA_IDS_ONLY)
  return()
endif()
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
if(NOT LLAMART_STATIC)
  target_link_libraries(LlamaTextLibraries INTERFACE PkgConfig::PCRE2 PkgConfig::UTF8PROC)
  return()
endif()

foreach(archive PCRE2:libpcre2-8.a:libpcre2-dev UTF8PROC:libutf8proc.a:libutf8proc-dev)
  string(REPLACE ":" ";" archive ${archive})
  list(GET archive 0 name)
  list(GET archive 1 file)
  list(GET archive 2 package)
  find_library(${name}_ARCHIVE ${file} HINTS ${${name}_LIBRARY_DIRS})
  if(NOT ${name}_ARCHIVE)
    message(FATAL_ERROR
      "LLAMART_STATIC is set, and ${file} is not found: install it (Debian: ${package}, others build it "
      "with -DBUILD_SHARED_LIBS=OFF), or say where it is with -D${name}_ARCHIVE=FILE")
  endif()
  target_include_directories(LlamaTextLibraries SYSTEM INTERFACE ${${name}_INCLUDE_DIRS})
  target_link_libraries(LlamaTextLibraries INTERFACE ${${name}_ARCHIVE})
endforeach()
