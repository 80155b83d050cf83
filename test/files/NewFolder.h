//===- NewFolder.h - A folder for the time of a test ------------*- C++ -*-===//

#ifndef LLAMA_TEST_FILES_NEWFOLDER_H
#define LLAMA_TEST_FILES_NEWFOLDER_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

struct NewFolder {
  std::string path;

  NewFolder() {
    std::string name = std::filesystem::temp_directory_path() / "llama-XXXXXX";
    path = mkdtemp(name.data());
  }
  NewFolder(const NewFolder &) = delete;
  ~NewFolder() { std::filesystem::remove_all(path); }

  std::string at(const std::string &name) const { return path + "/" + name; }
  std::string write(const std::string &name,
                    const std::string &text = "text") const {
    std::ofstream(at(name), std::ios::binary) << text;
    return at(name);
  }
  std::string read(const std::string &name) const {
    std::ifstream file(at(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t count() const {
    return size_t(std::distance(std::filesystem::directory_iterator(path), {}));
  }
};

#endif // LLAMA_TEST_FILES_NEWFOLDER_H
