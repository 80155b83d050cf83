// A prompt goes on, as a loop over pieces of text.

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
  llamart_sampler_options options = LLAMART_SAMPLER_OPTIONS;
  options.temperature = 0.8f;
  options.seed = 42;
  llama::Sampler sampler(options);
  std::vector<int32_t> prompt = model.encode(argv[2]);

  llama::Job job;
  job.sampler = &sampler;
  job.prompt = prompt;
  job.maxTokens = 60;
  llama::Stream stream(engine, job);
  for (std::string_view piece : stream) // leaving the loop ends the job
    std::cout << piece << std::flush;
  std::cout << "\n" << stream.getResult()->generated << " tokens\n";
} catch (const std::exception &error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
