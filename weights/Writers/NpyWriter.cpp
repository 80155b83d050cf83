//===- NpyWriter.cpp - A *.npy for each tensor ----------------------------===//
//
// Version 1.0 headers as numpy pads them; bf16 as ml_dtypes spells it. With
// tied embeddings there is a copy of them, output.weight.npy, as whoever reads
// these folders expects.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/ConfigFiles.h"
#include "weights/Writers/Writers.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace llamaweights {
namespace {

std::string makeHeader(DType type, ArrayRef<int64_t> shape) {
  StringRef descr = type == DType::F32   ? "<f4"
                    : type == DType::F16 ? "<f2"
                                         : "<V2";
  std::string text =
      ("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (").str();
  for (auto [i, dim] : enumerate(shape))
    text += (i ? ", " : "") + itostr(dim);
  text += shape.size() == 1 ? ",), }" : "), }";
  // The preamble is a multiple of 64 bytes and ends in a line feed.
  constexpr size_t kPrefix = 10;
  size_t padding = 63 - (kPrefix + text.size()) % 64;
  text += std::string(padding, ' ') + "\n";
  std::string header("\x93NUMPY\x01\0", 8);
  header += char(text.size() & 0xff);
  header += char(text.size() >> 8);
  return header + text;
}

} // namespace

Error writeNpy(const WritePlan &plan, OutputFolder &folder) {
  for (const std::string &name :
       getTensorNames(plan.getConfig(), /*withOutput=*/true)) {
    const TensorInfo &tensor = plan.get(name);
    DType type = plan.getType(tensor);
    auto file = folder.createFile(name + ".weight.npy");
    if (!file)
      return file.takeError();
    if (Error error = file->appendText(makeHeader(type, tensor.shape)))
      return error;
    if (Error error = plan.append(tensor, type, /*halfSplit=*/false, *file))
      return error;
    if (Error error = file->keep())
      return error;
  }
  return folder.writeFile("params.json", printMetaParams(plan.getConfig()));
}

} // namespace llamaweights
