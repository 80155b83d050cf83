//===- ModelSymbols.cpp - Where a model's bytes and code are --------------===//

#include "runtime/Model/ModelSymbols.h"

#include "runtime/Error.h"
#include "runtime/Model/ElfFile.h"
#include "runtime/Model/File.h"

#include <atomic>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <string_view>
#include <utility>

using namespace llamart;

const void *ModelSymbols::require(const char *symbol) const {
  const void *found = find(symbol);
  if (!found)
    throw Error(ErrorKind::Model, name, ": not a model: has no symbol '",
                symbol, "'");
  return found;
}

//===----------------------------------------------------------------------===//
// A library
//===----------------------------------------------------------------------===//

namespace {

class Library final : public ModelSymbols {
public:
  Library(std::string name, const std::string &file)
      : ModelSymbols(std::move(name)),
        handle(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (!handle)
      throw Error(ErrorKind::Model, this->name,
                  ": cannot be loaded: ", dlerror());
  }
  Library(const Library &) = delete;
  Library &operator=(const Library &) = delete;
  ~Library() override { dlclose(handle); }

  const void *find(const char *symbol) const override {
    return dlsym(handle, symbol);
  }

  std::optional<uint64_t> getSize(const char *symbol) const override {
    Dl_info place;
    const ElfW(Sym) *entry = nullptr;
    const void *found = find(symbol);
    if (found &&
        !dladdr1(found, &place,
                 reinterpret_cast<void **>(const_cast<ElfW(Sym) **>(&entry)),
                 RTLD_DL_SYMENT))
      entry = nullptr;
    return entry ? entry->st_size : 0;
  }

  Code getCode(const llamaabi::CodeVariant &variant) const override {
    return {asFunction<llama_forward_fn>(variant.forward),
            asFunction<llama_workspace_fn>(variant.workspace)};
  }

private:
  template <typename Function>
  Function asFunction(const std::string &symbol) const {
    return reinterpret_cast<Function>(
        const_cast<void *>(require(symbol.c_str())));
  }

  void *handle;
};

} // namespace

std::unique_ptr<const ModelSymbols>
llamart::loadLibrary(const std::string &path) {
  checkSharedObject(File(path));
  // Without a slash dlopen would search the library path.
  return std::make_unique<Library>(
      path, path.find('/') == std::string::npos ? "./" + path : path);
}

/// A path to the file behind a descriptor that no call before has returned:
/// dlopen would give back what it once loaded by that name, and numbers of
/// descriptors come again. So it differs in what the system skips.
static std::string makeFreshPath(int descriptor) {
  static std::atomic<uint64_t> opened = 0;
  std::string path = "/proc/self/fd";
  for (uint64_t bits = ++opened; bits; bits /= 2)
    path += bits % 2 ? "/." : "/";
  return path + "/" + std::to_string(descriptor);
}

std::unique_ptr<const ModelSymbols> llamart::loadLibrary(int descriptor) {
  std::string name = "file descriptor " + std::to_string(descriptor);
  File file(descriptor, name);
  checkSharedObject(file);
  return std::make_unique<Library>(name, makeFreshPath(file.getDescriptor()));
}

//===----------------------------------------------------------------------===//
// A part of the program
//===----------------------------------------------------------------------===//

namespace {

class Linked final : public ModelSymbols {
public:
  explicit Linked(const llama_linked_model &model)
      : ModelSymbols("linked model"), model(model) {
    if (model.struct_size < sizeof(model))
      throw Error(ErrorKind::Model, name, ": llama_linked_model has ",
                  model.struct_size, " bytes, expected ", sizeof(model));
    if (model.abi_version != LLAMA_ABI_VERSION)
      throw Error(ErrorKind::Model, name, ": built for ABI ", model.abi_version,
                  ", this runtime has ABI ", LLAMA_ABI_VERSION);
  }

  const void *find(const char *symbol) const override {
    std::string_view wanted = symbol;
    for (auto [name, bytes] : {std::pair<std::string_view, const void *>(
                                   LLAMA_SYMBOL_HEADER, model.header),
                               {LLAMA_SYMBOL_INFO, model.info},
                               {LLAMA_SYMBOL_HASHES, model.hashes},
                               {LLAMA_SYMBOL_TOKENIZER, model.tokenizer},
                               {LLAMA_SYMBOL_WEIGHTS, model.weights}})
      if (wanted == name)
        return bytes;
    return nullptr;
  }

  /// The linker has kept no sizes.
  std::optional<uint64_t> getSize(const char *symbol) const override {
    if (find(symbol))
      return std::nullopt;
    return 0;
  }

  Code getCode(const llamaabi::CodeVariant &variant) const override {
    for (uint32_t i = 0; i < model.code_count; ++i)
      if (const llama_linked_code &code = model.code[i];
          variant.forward == code.name)
        return {code.forward, code.workspace};
    throw Error(ErrorKind::Model, name, ": has no code '", variant.forward,
                "'");
  }

private:
  const llama_linked_model &model;
};

} // namespace

std::unique_ptr<const ModelSymbols>
llamart::useLinked(const llama_linked_model &model) {
  return std::make_unique<Linked>(model);
}
