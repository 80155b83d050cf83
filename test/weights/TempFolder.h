//===- TempFolder.h - A folder that goes away again -------------*- C++ -*-===//
//
// Files that a test writes and reads back.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_TEST_WEIGHTS_TEMPFOLDER_H
#define LLAMA_TEST_WEIGHTS_TEMPFOLDER_H

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <vector>

namespace llamatest {

class TempFolder {
public:
  TempFolder() {
    llvm::SmallString<128> unique;
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("llama-test", unique));
    path = unique.str().str();
  }
  ~TempFolder() { (void)llvm::sys::fs::remove_directories(path); }
  TempFolder(const TempFolder &) = delete;
  TempFolder &operator=(const TempFolder &) = delete;

  std::string at(const std::string &name) const { return path + "/" + name; }

  std::string write(const std::string &name, const std::string &bytes) const {
    (void)llvm::sys::fs::create_directories(
        llvm::sys::path::parent_path(at(name)));
    std::ofstream(at(name), std::ios::binary) << bytes;
    return at(name);
  }

  std::string path;
};

inline std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The elements of a file of nothing but little-endian numbers.
template <typename T>
std::vector<T> readNumbers(const std::string &path) {
  std::string bytes = readFile(path);
  std::vector<T> result(bytes.size() / sizeof(T));
  std::memcpy(result.data(), bytes.data(), result.size() * sizeof(T));
  return result;
}

} // namespace llamatest

#endif // LLAMA_TEST_WEIGHTS_TEMPFOLDER_H
