// Tokens are chosen by a function of the program: like the library's own
// sampler at temperature 1, but never the letter "e".

#include <cmath>
#include <iostream>
#include <llamart/llamart.hpp>

namespace llama = llamart::api;

int main(int argc, char **argv) try {
  if (argc != 3) {
    std::cerr << "usage: " << argv[0] << " MODEL.so PROMPT\n";
    return 2;
  }
  llama::Model model(argv[1]);
  llama::Engine engine(model);
  std::vector<bool> hasE;
  for (int32_t id = 0; id < model.getInfo().vocab; ++id) {
    std::string text = model.decode({&id, 1});
    hasE.push_back(text.find_first_of("eE") != std::string::npos);
  }

  auto choose = [&](const llamart_choice &choice) -> int32_t {
    std::vector<double> weights(choice.vocab);
    double total = 0.0;
    for (int64_t id = 0; id < choice.vocab; ++id) {
      weights[id] = hasE[id] ? 0.0 : std::exp(double(choice.logits[id]));
      total += weights[id];
    }
    // The number that the library would draw here: the same for the same seed,
    // whatever else runs at the same time.
    double rest = llamart_choice_random(&choice, 0) * total;
    int32_t id = 0;
    while (id + 1 < choice.vocab && (rest -= weights[id]) >= 0)
      ++id;
    return id;
  };
  llama::Sampler sampler = llama::Sampler::custom(choose, /*seed=*/1);

  std::vector<int32_t> prompt = model.encode(argv[2]);
  llama::Job job;
  job.sampler = &sampler;
  job.prompt = prompt;
  job.maxTokens = 60;
  for (std::string_view piece : llama::Stream(engine, job))
    std::cout << piece << std::flush;
  std::cout << "\n";
} catch (const std::exception &error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
