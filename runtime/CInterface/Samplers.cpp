//===- Samplers.cpp - samplers.h ------------------------------------------===//

#include "runtime/CInterface/CustomSampler.h"
#include "runtime/CInterface/Handles.h"
#include "runtime/Sampler/Philox.h"
#include "runtime/Sampler/SamplerConfig.h"

using namespace llamart;

static std::shared_ptr<const Sampler>
makeSampler(const llamart_sampler_options &given) {
  checkReserved(given.reserved, "llamart_sampler_options");
  if (given.kind != LLAMART_SAMPLER_GREEDY &&
      given.kind != LLAMART_SAMPLER_STANDARD)
    throw Error(ErrorKind::Argument, "llamart_sampler_options: kind is ",
                given.kind, ", expected LLAMART_SAMPLER_GREEDY or _STANDARD");
  if (given.kind == LLAMART_SAMPLER_GREEDY && !given.config)
    return createGreedySampler();
  SamplerBase base;
  if (given.kind == LLAMART_SAMPLER_GREEDY)
    base.sampler = "greedy";
  SamplerOptions &to = base.standard;
  to.seed = given.seed;
  to.repeatPenalty = given.repeat_penalty;
  to.frequencyPenalty = given.frequency_penalty;
  to.presencePenalty = given.presence_penalty;
  to.penaltyWindow = given.penalty_window;
  to.topK = given.top_k;
  to.topP = given.top_p;
  to.minP = given.min_p;
  to.temperature = given.temperature;
  if (given.model && given.model->model->hasTokenizer())
    base.tokenizer = &given.model->model->getTokenizer();
  return createSampler(given.config ? given.config : "{}", base);
}

static void giveSampler(llamart_sampler **to,
                        std::shared_ptr<const Sampler> sampler) {
  *to = std::make_unique<llamart_sampler>(llamart_sampler{std::move(sampler)})
            .release();
}

llamart_error *llamart_sampler_create(const llamart_sampler_options *options,
                                      llamart_sampler **sampler) {
  return guarded([&] {
    require(sampler, "sampler");
    auto given = readOptions<llamart_sampler_options>(
        options, LLAMART_SAMPLER_OPTIONS, "llamart_sampler_options");
    giveSampler(sampler, makeSampler(given));
  });
}

llamart_error *
llamart_sampler_create_custom(const llamart_custom_sampler *options,
                              llamart_sampler **sampler) {
  return guarded([&] {
    require(sampler, "sampler");
    giveSampler(sampler,
                createCustomSampler(readStruct(require(options, "options"),
                                               "llamart_custom_sampler")));
  });
}

void llamart_sampler_close(llamart_sampler *sampler) { delete sampler; }

llamart_error *llamart_sample(const llamart_sampler *sampler,
                              llamart_session *session, int32_t *id) {
  return guarded([&] {
    require(sampler, "sampler");
    Session &from = requireFree(session);
    require(id, "id");
    *id = from.sample(sampler->sampler);
  });
}

double llamart_choice_random(const llamart_choice *choice, uint32_t draw) {
  if (!choice)
    return 0.0;
  return StepRandom{choice->seed, choice->number, uint32_t(choice->length)}
      .uniform(draw);
}
