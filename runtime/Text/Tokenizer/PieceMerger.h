//===- PieceMerger.h - Merging the characters of a text ---------*- C++ -*-===//
//
// Private to runtime/Text/Tokenizer. Working memory for one text.
//
//===----------------------------------------------------------------------===//

#ifndef LLAMA_RUNTIME_TEXT_TOKENIZER_PIECEMERGER_H
#define LLAMA_RUNTIME_TEXT_TOKENIZER_PIECEMERGER_H

#include "runtime/Text/Tokenizer/MergeQueue.h"
#include "runtime/Text/Tokenizer/SentencePiece.h"

namespace llamart {

class PieceMerger {
public:
  PieceMerger(const SentencePiece &owner, std::vector<int32_t> &ids)
      : owner(owner), ids(ids) {}

  /// Appends the ids of a rewritten text of less than 2^31 bytes.
  void run(std::string_view text);

private:
  static constexpr uint32_t kNone = llamaabi::kNoToken;

  struct Symbol {
    std::string_view text; ///< empty: merged into the one before
    uint32_t previous, next;
    uint32_t pair;   ///< the piece that it and the next one make, or kNone
    bool isComplete; ///< user-defined: is not merged
  };

  void cut(std::string_view text);
  void findPair(uint32_t left);
  void merge(uint32_t left);
  void addResult(std::string_view text);
  void addId(std::string_view text, uint32_t id);

  const SentencePiece &owner;
  std::vector<int32_t> &ids;
  std::vector<Symbol> symbols;
  MergeQueue queue; ///< of rank << 32 | left
  /// Of unused pieces: bytes of the left half of what was last found to be it.
  std::unordered_map<uint32_t, size_t> halves;
  bool wasUnknown = false;
};

} // namespace llamart

#endif // LLAMA_RUNTIME_TEXT_TOKENIZER_PIECEMERGER_H
