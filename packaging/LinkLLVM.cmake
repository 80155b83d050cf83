# LLAMA_LLVM is what links LLVM: its shared library, with MLIR's beside it, or
# with LLAMA_STATIC_LLVM its archives, of which only what is used goes in.
if(NOT LLAMA_STATIC_LLVM)
  set(MLIR_LINK_MLIR_DYLIB ON)
  set(LLVM_LINK_LLVM_DYLIB ON)
  set(LLAMA_LLVM LLVM)
  return()
endif()
set(MLIR_LINK_MLIR_DYLIB OFF)
set(LLVM_LINK_LLVM_DYLIB OFF)
set(LLAMA_LLVM LlamaStaticLLVM)

foreach(archive z:zlib1g-dev zstd:libzstd-dev)
  string(REPLACE ":" ";" archive ${archive})
  list(GET archive 0 name)
  list(GET archive 1 package)
  find_library(LLAMA_ARCHIVE_${name} lib${name}.a)
  if(NOT LLAMA_ARCHIVE_${name})
    message(FATAL_ERROR "LLAMA_STATIC_LLVM is set, and lib${name}.a is not found: install it (Debian: ${package})")
  endif()
endforeach()

# Polly is a plugin in Debian, and LLVM's passes name its entry point.
add_library(LlamaNoPolly STATIC ${CMAKE_CURRENT_LIST_DIR}/NoPolly.cpp)
target_include_directories(LlamaNoPolly SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})

add_library(LlamaStaticLLVM INTERFACE)
foreach(library IN LISTS LLVM_AVAILABLE_LIBS)
  if(TARGET ${library} AND NOT library MATCHES "Polly|Exegesis") # of these there is no file, or not all
    get_target_property(type ${library} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      target_link_libraries(LlamaStaticLLVM INTERFACE ${library})
    endif()
  endif()
endforeach()
target_link_libraries(LlamaStaticLLVM INTERFACE LlamaNoPolly)
target_link_options(LlamaStaticLLVM INTERFACE
  -fuse-ld=lld -Wl,--gc-sections,--as-needed -static-libstdc++ -static-libgcc)

# What Debian's archives were exported with are its shared libraries.
get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
foreach(library IN LISTS imported)
  get_target_property(needed ${library} INTERFACE_LINK_LIBRARIES)
  if(needed)
    list(TRANSFORM needed REPLACE "^LLVM$|^[$]<LINK_ONLY:LLVM>$" LlamaStaticLLVM)
    list(TRANSFORM needed REPLACE "^ZLIB::ZLIB$" "${LLAMA_ARCHIVE_z}")
    list(TRANSFORM needed REPLACE "^zstd::libzstd_shared$" "${LLAMA_ARCHIVE_zstd}")
    list(FILTER needed EXCLUDE REGEX "Polly")
    set_target_properties(${library} PROPERTIES INTERFACE_LINK_LIBRARIES "${needed}")
  endif()
endforeach()
