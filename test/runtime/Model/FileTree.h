//===- FileTree.h - Files as kernels and containers show them ---*- C++ -*-===//

#ifndef LLAMA_TEST_RUNTIME_MODEL_FILETREE_H
#define LLAMA_TEST_RUNTIME_MODEL_FILETREE_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>

/// A test with a folder of its own, which stands for "/".
class FileTree : public testing::Test {
protected:
  FileTree() {
    std::string name = testing::TempDir() + "/llama-tree-XXXXXX";
    root = ::mkdtemp(name.data());
  }
  ~FileTree() override { std::filesystem::remove_all(root); }

  void write(const std::string &path, const std::string &text) const {
    std::filesystem::create_directories(
        std::filesystem::path(root + path).parent_path());
    std::ofstream(root + path) << text << "\n";
  }

  std::string root;
};

#endif // LLAMA_TEST_RUNTIME_MODEL_FILETREE_H
