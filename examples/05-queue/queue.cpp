// An event loop: jobs are added while others run, and Ctrl-C cancels them.

#include <csignal>
#include <iostream>
#include <llamart/llamart.hpp>
#include <map>

namespace llama = llamart::api;

static llama::CancelFlag *interrupted = nullptr;

int main(int argc, char **argv) try {
  if (argc < 3) {
    std::cerr << "usage: " << argv[0] << " MODEL.so PROMPT...\n";
    return 2;
  }
  llama::Model model(argv[1]);
  llama::Engine engine(model);
  llama::Queue queue(engine);
  llama::Sampler sampler = llama::Sampler::greedy();
  llama::CancelFlag flag;
  interrupted = &flag;
  std::signal(SIGINT, [](int) { interrupted->set(); });

  std::map<int, std::string> texts;
  std::vector<llama::Ticket> tickets;
  size_t unfinished = 1;
  for (int next = 2; unfinished > 0 || next < argc;) {
    if (next < argc) { // a new one at each turn, as users come
      std::vector<int32_t> prompt = model.encode(argv[next]);
      llama::Job job;
      job.sampler = &sampler;
      job.prompt = prompt; // add() copies it
      job.maxTokens = 40;
      job.onText = [&texts, next](std::string_view piece) {
        texts[next] += piece;
        return true;
      };
      tickets.push_back(queue.add(job));
      ++next;
    }
    unfinished = queue.step(/*waitMilliseconds=*/100); // a tenth of a second
    if (flag.isSet())
      for (llama::Ticket &ticket : tickets)
        ticket.cancel();
    // A program with a window draws what is in `texts` here.
  }
  for (const auto &[index, text] : texts)
    std::cout << argv[index] << "|" << text << "\n";
  for (const llama::Ticket &ticket : tickets)
    if (ticket.getResult()->finish == LLAMART_FINISH_CANCELLED)
      std::cout << "cancelled after " << ticket.getResult()->generated
                << " tokens\n";
} catch (const std::exception &error) {
  std::cerr << "error: " << error.what() << "\n";
  return 1;
}
