//===- Errors.cpp - library.h and errors.h --------------------------------===//

#include "runtime/CInterface/Handles.h"
#include "runtime/abi/LlamaABI.h"

using namespace llamart;

#define LLAMA_TEXT_OF(number) #number
#define LLAMA_TEXT(number) LLAMA_TEXT_OF(number)
static_assert(std::string_view(LLAMA_VERSION) ==
                  LLAMA_TEXT(LLAMART_VERSION_MAJOR) "." LLAMA_TEXT(
                      LLAMART_VERSION_MINOR) "." //
                  LLAMA_TEXT(LLAMART_VERSION_PATCH),
              "the header's version is the project's");

const char *llamart_version(void) { return LLAMA_VERSION; }

int32_t llamart_version_number(void) { return LLAMART_VERSION_NUMBER; }

void llamart_model_abi(int32_t *lowest, int32_t *highest) {
  if (lowest)
    *lowest = LLAMA_ABI_VERSION;
  if (highest)
    *highest = LLAMA_ABI_VERSION;
}

void llamart_free(void *memory) { std::free(memory); }

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

static_assert(LLAMART_ERROR_ARGUMENT == int(ErrorKind::Argument) &&
              LLAMART_ERROR_MODEL == int(ErrorKind::Model) &&
              LLAMART_ERROR_CONTEXT == int(ErrorKind::Context) &&
              LLAMART_ERROR_MEMORY == int(ErrorKind::Memory) &&
              LLAMART_ERROR_SYSTEM == int(ErrorKind::System) &&
              LLAMART_ERROR_CACHE == int(ErrorKind::Cache) &&
              LLAMART_ERROR_CANCELLED == int(ErrorKind::Cancelled) &&
              LLAMART_ERROR_UNSUPPORTED == int(ErrorKind::Unsupported) &&
              LLAMART_ERROR_CALLBACK == int(ErrorKind::Callback) &&
              LLAMART_ERROR_STATE == int(ErrorKind::State));

struct llamart_error {
  ErrorKind kind;
  char *message; // owned; null in the one error below
  int64_t item;
};

// What is returned when there is no memory for an error. Never changed.
static llamart_error outOfMemory = {ErrorKind::Memory, nullptr, -1};

llamart_error *llamart::makeError(ErrorKind kind, const char *message,
                                  int64_t item) noexcept {
  char *copy = strdup(message);
  auto *error =
      copy ? new (std::nothrow) llamart_error{kind, copy, item} : nullptr;
  if (error)
    return error;
  std::free(copy);
  return &outOfMemory;
}

int llamart_error_kind(const llamart_error *error) {
  return error ? static_cast<int>(error->kind) : LLAMART_OK;
}

const char *llamart_error_message(const llamart_error *error) {
  if (!error)
    return nullptr;
  return error->message ? error->message : "out of memory";
}

int64_t llamart_error_item(const llamart_error *error) {
  return error ? error->item : -1;
}

void llamart_error_free(llamart_error *error) {
  if (!error || error == &outOfMemory)
    return;
  std::free(error->message);
  delete error;
}

//===----------------------------------------------------------------------===//
// Cancel flags
//===----------------------------------------------------------------------===//

llamart_error *llamart_cancel_create(llamart_cancel **cancel) {
  return guarded([&] {
    require(cancel, "cancel");
    *cancel = std::make_unique<llamart_cancel>(
                  llamart_cancel{std::make_shared<CancelFlag>(false)})
                  .release();
  });
}

// One atomic store: signal handlers may. Nothing sleeps that would have to be
// woken, as who has work to be cancelled is at work.
void llamart_cancel_set(llamart_cancel *cancel) {
  if (cancel)
    cancel->flag->store(true, std::memory_order_relaxed);
}

void llamart_cancel_clear(llamart_cancel *cancel) {
  if (cancel)
    cancel->flag->store(false, std::memory_order_relaxed);
}

int llamart_cancel_is_set(const llamart_cancel *cancel) {
  return cancel && cancel->flag->load(std::memory_order_relaxed);
}

void llamart_cancel_close(llamart_cancel *cancel) { delete cancel; }
