//===- LayerPickleWriter.cpp - layer_N.pkl, model.pkl, config.json --------===//
//
// Protocol 4, and names of numpy 1, which numpy 2 knows too. Matrices are
// transposed: whole where they have up to 64 MiB, else a number of rows at a
// time, which become short runs in many places.
//
//===----------------------------------------------------------------------===//

#include "weights/Writers/ConfigFiles.h"
#include "weights/Writers/PickleWriter.h"
#include "weights/Writers/Writers.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <cstring>

using namespace llvm;

namespace llamaweights {
namespace {

constexpr int64_t kBlockBytes = 64 << 20;
constexpr int64_t kElementBytes = 4;

/// Collects rows, and writes them as columns at their places.
class ColumnWriter {
public:
  ColumnWriter(OutputFile &file, uint64_t begin, int64_t rows, int64_t columns)
      : file(file), begin(begin), rows(rows), columns(columns),
        rowsAtOnce(std::clamp<int64_t>(kBlockBytes / (columns * kElementBytes),
                                       1, rows)) {}

  Error append(ArrayRef<char> bytes) {
    size_t rowBytes = size_t(columns * kElementBytes);
    for (; !bytes.empty(); bytes = bytes.drop_front(rowBytes)) {
      block.insert(block.end(), bytes.begin(), bytes.begin() + rowBytes);
      if (int64_t(block.size() / rowBytes) == rowsAtOnce)
        if (Error error = flush())
          return error;
    }
    return Error::success();
  }

  Error flush() {
    int64_t count = int64_t(block.size()) / (columns * kElementBytes);
    turned.resize(block.size());
    constexpr int64_t kSquare = 32;
    for (int64_t i0 = 0; i0 < count; i0 += kSquare)
      for (int64_t j0 = 0; j0 < columns; j0 += kSquare)
        for (int64_t j = j0; j < std::min(j0 + kSquare, columns); ++j)
          for (int64_t i = i0; i < std::min(i0 + kSquare, count); ++i)
            std::memcpy(turned.data() + (j * count + i) * kElementBytes,
                        block.data() + (i * columns + j) * kElementBytes,
                        size_t(kElementBytes));
    Error error = writeColumns(count);
    done += count;
    block.clear();
    return error;
  }

private:
  Error writeColumns(int64_t count) {
    if (count == rows)
      return file.write(begin, turned);
    size_t runBytes = size_t(count * kElementBytes);
    for (int64_t column = 0; column < columns; ++column)
      if (Error error = file.write(
              begin + uint64_t((column * rows + done) * kElementBytes),
              ArrayRef(turned).slice(size_t(column) * runBytes, runBytes)))
        return error;
    return Error::success();
  }

  OutputFile &file;
  uint64_t begin;
  int64_t rows, columns, rowsAtOnce, done = 0;
  std::vector<char> block, turned;
};

class LayerWriter {
public:
  LayerWriter(const WritePlan &plan, OutputFile &file)
      : plan(plan), file(file), pickle(4) {}

  void beginDict() { pickle.beginDict(); }
  void key(StringRef name) { pickle.string(name); }
  void endDict() { pickle.setItems(); }

  /// A numpy array; `isTurned`: [in, out].
  Error array(StringRef name, bool isTurned) {
    const TensorInfo &tensor = plan.get(name);
    std::vector<int64_t> shape = tensor.shape;
    if (isTurned)
      std::reverse(shape.begin(), shape.end());
    int64_t bytes = getStreamedBytes(tensor, DType::F32);
    writeHead(shape, bytes);
    if (Error error = file.appendText(pickle.take()))
      return error;
    Error error = isTurned ? appendTurned(tensor)
                           : plan.append(tensor, DType::F32, true, file);
    if (error)
      return error;
    pickle.tuple();
    pickle.build();
    return Error::success();
  }

  Error finish() {
    pickle.stop();
    if (Error error = file.appendText(pickle.take()))
      return error;
    return file.keep();
  }

private:
  /// Everything in front of the elements: an empty array, and the tuple that it
  /// is built with.
  void writeHead(ArrayRef<int64_t> shape, int64_t bytes) {
    pickle.global("numpy.core.multiarray", "_reconstruct");
    pickle.mark();
    pickle.global("numpy", "ndarray");
    pickle.shape(int64_t(0));
    pickle.shortBytes("b");
    pickle.tuple();
    pickle.call();
    pickle.mark();
    pickle.integer(1);
    pickle.shape(shape);
    writeType();
    pickle.boolean(false); // C order
    pickle.beginBytes(uint64_t(bytes));
  }

  void writeType() {
    pickle.global("numpy", "dtype");
    pickle.mark();
    pickle.string("f4");
    pickle.boolean(false);
    pickle.boolean(true);
    pickle.tuple();
    pickle.call();
    pickle.mark();
    pickle.integer(3);
    pickle.string("<");
    for (int i = 0; i < 3; ++i)
      pickle.none();
    pickle.integer(-1);
    pickle.integer(-1);
    pickle.integer(0);
    pickle.tuple();
    pickle.build();
  }

  Error appendTurned(const TensorInfo &tensor) {
    ColumnWriter columns(file, file.getSize(), tensor.getRows(),
                         tensor.getColumns());
    auto sink = [&](ArrayRef<char> bytes) -> Error {
      if (Error error = columns.append(bytes))
        return error;
      return plan.progress(int64_t(bytes.size()));
    };
    RowFormat format = {
        DType::F32, hasRopePairs(tensor.name) ? plan.getConfig().headDim : 0};
    if (Error error = streamRows(plan.getCheckpoint(), tensor, format, sink))
      return error;
    if (Error error = columns.flush())
      return error;
    file.skip(uint64_t(getStreamedBytes(tensor, DType::F32)));
    return Error::success();
  }

  const WritePlan &plan;
  OutputFile &file;
  PickleWriter pickle;
};

Error writeLayer(const WritePlan &plan, int64_t layer, OutputFile &file) {
  std::string prefix = "layers." + itostr(layer) + ".";
  LayerWriter writer(plan, file);
  writer.beginDict();
  for (const auto &[part, names] :
       {std::pair<const char *, std::vector<const char *>>(
            "attention", {"wq", "wk", "wv", "wo"}),
        {"feed_forward", {"w1", "w2", "w3"}}}) {
    writer.key(part);
    writer.beginDict();
    for (const char *name : names) {
      writer.key(name);
      if (Error error = writer.array(prefix + part + "." + name, true))
        return error;
    }
    writer.endDict();
  }
  for (const char *norm : {"attention_norm", "ffn_norm"}) {
    writer.key(norm);
    writer.beginDict();
    writer.key("weight");
    if (Error error = writer.array(prefix + norm, false))
      return error;
    writer.endDict();
  }
  writer.endDict();
  return writer.finish();
}

Error writeOutside(const WritePlan &plan, OutputFile &file) {
  LayerWriter writer(plan, file);
  std::vector<std::string> names = {"tok_embeddings", "norm"};
  if (!plan.getConfig().tiedEmbeddings)
    names.emplace_back("output");
  writer.beginDict();
  for (const std::string &name : names) {
    writer.key(name);
    writer.beginDict();
    writer.key("weight");
    if (Error error = writer.array(name, name == "output"))
      return error;
    writer.endDict();
  }
  writer.endDict();
  return writer.finish();
}

} // namespace

Error writeLayerPickles(const WritePlan &plan, OutputFolder &folder) {
  for (int64_t layer = 0; layer <= plan.getConfig().layers; ++layer) {
    bool isOutside = layer == plan.getConfig().layers;
    auto file = folder.createFile(
        isOutside ? "model.pkl" : "layer_" + itostr(layer) + ".pkl");
    if (!file)
      return file.takeError();
    if (Error error = isOutside ? writeOutside(plan, *file)
                                : writeLayer(plan, layer, *file))
      return error;
  }
  return folder.writeFile("config.json",
                          printHuggingFaceConfig(plan.getConfig(), DType::F32));
}

} // namespace llamaweights
