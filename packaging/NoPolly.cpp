//===- NoPolly.cpp - In place of a library that Debian has as a plugin ----===//
//
// LLVM's archives were built to know Polly, which is no archive. Its entry point
// is called where passes are registered; it registers none here.
//
//===----------------------------------------------------------------------===//

#include "llvm/Plugins/PassPlugin.h"

llvm::PassPluginLibraryInfo getPollyPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "Polly", "none", [](llvm::PassBuilder &) {}};
}
