/* What a linked model's table points to, without a runtime: prints the name of its
 * first code and a sum over all bytes of its weights. */

#include "runtime/abi/LlamaABI.h"

#include <stdio.h>

extern const llama_linked_model first_model;

int main(void) {
  const llama_linked_model *model = &first_model;
  uint64_t i, sum = 0;
  uint32_t k;
  if (model->struct_size != sizeof(*model) ||
      model->abi_version != LLAMA_ABI_VERSION ||
      model->header->magic != LLAMA_ABI_MAGIC || model->info[0] != '{')
    return 1;
  for (k = 0; k < model->code_count; ++k)
    if (model->code[k].workspace(1, 1) <= 0)
      return 1;
  for (i = 0; i < model->header->weights_bytes; ++i)
    sum = sum * 31 + model->weights[i];
  printf("%s %llu\n", model->code[0].name, (unsigned long long)sum);
  return 0;
}
