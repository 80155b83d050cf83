//===- SafetensorsWriter.cpp - The header of a *.safetensors file ---------===//
//
// u64 length, then JSON.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/SafetensorsWriter.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"

#include <nlohmann/json.hpp>

using namespace llvm;
using Json = nlohmann::ordered_json;

namespace llamaweights {

Error appendSafetensorsHeader(
    ArrayRef<SafetensorsEntry> entries,
    const std::map<std::string, std::string> &metadata, OutputFile &file) {
  Json header = Json::object();
  if (!metadata.empty())
    header["__metadata__"] = metadata;
  int64_t offset = 0;
  for (const SafetensorsEntry &entry : entries) {
    int64_t bytes = getBlockBytes(entry.dtype);
    for (int64_t dim : entry.shape)
      bytes *= dim;
    header[entry.name] = {{"dtype", getName(entry.dtype).upper()},
                          {"shape", entry.shape},
                          {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  char length[8];
  support::endian::write64le(length, text.size());
  if (Error error = file.append(length))
    return error;
  return file.appendText(text);
}

} // namespace llamaweights
