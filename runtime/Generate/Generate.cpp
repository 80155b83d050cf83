//===- Generate.cpp - Prompts to texts, several at a time -----------------===//

#include "runtime/Generate/Generate.h"

#include "runtime/Generate/Queue.h"

#include <algorithm>

using namespace llamart;

std::vector<GenerateResult>
llamart::generate(const std::shared_ptr<Engine> &engine,
                  std::vector<GenerateJob> jobs) {
  // Nobody comes later. One that is cancelled while others go on waits for the
  // end of a forward call.
  QueueOptions options;
  options.cutByTime =
      jobs.size() > 1 && std::ranges::any_of(jobs, [](const GenerateJob &job) {
        return job.cancel != nullptr;
      });
  Queue queue(engine, options);
  std::vector<std::shared_ptr<Ticket>> tickets;
  for (size_t i = 0; i < jobs.size(); ++i)
    forItem(int64_t(i),
            [&] { tickets.push_back(queue.add(std::move(jobs[i]))); });
  while (queue.step(0) > 0) {
  }
  std::vector<GenerateResult> results;
  results.reserve(tickets.size());
  for (const std::shared_ptr<Ticket> &ticket : tickets)
    results.push_back(*ticket->getResult());
  return results;
}
