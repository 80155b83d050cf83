//===- Fingerprint.cpp - Which models compute the same bits ---------------===//

#include "compiler/Output/Fingerprint.h"

#include "compiler/Output/ModelInfo.h"
#include "runtime/abi/LlamaABI.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"

using namespace mlir;
using namespace mlir::llama;

/// With its length, so that no other pieces make the same bytes.
static void addPiece(llvm::BLAKE3 &hasher, StringRef piece) {
  hasher.update(std::to_string(piece.size()) + ":");
  hasher.update(piece);
}

std::string llama::computeFingerprint(ArrayRef<EmittedCode> code,
                                      ArrayRef<char> tensorHashes) {
  llvm::BLAKE3 hasher;
  addPiece(hasher, getCompilerVersion());
  addPiece(hasher, {tensorHashes.data(), tensorHashes.size()});
  for (const EmittedCode &each : code)
    addPiece(hasher, {each.bytes.data(), each.bytes.size()});
  return llvm::toHex(hasher.final<LLAMA_HASH_BYTES>(), /*LowerCase=*/true);
}
