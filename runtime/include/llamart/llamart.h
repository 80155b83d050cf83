/*===- llamart.h - Opens a model.so and generates text -------------- C -*-===//
 *
 *   llamart_model     an open model.so; immutable, shared by engines
 *   llamart_engine    threads, KV cache, workspace: runs forward calls
 *   llamart_session   one sequence of tokens in an engine
 *   llamart_sampler   a recipe for choosing tokens; immutable, shared
 *   llamart_queue     jobs of any number that share an engine's forward calls
 *   llamart_cancel    a flag that ends what it was given to
 *
 * Rules of the interface; in parentheses the test of each, test/runtime:
 *
 *   I1  A function that can fail returns a llamart_error, NULL if all went
 *       well. After an error, what the function was to make is untouched, and
 *       so is every session. (CInterface.ErrorsChangeNothing)
 *   I2  A struct begins with struct_size, but for the ids-and-text pairs.
 *       Initialize it with its macro (llamart_engine_options o =
 *       LLAMART_ENGINE_OPTIONS;) and change what you want. NULL in place of
 *       options means the macro's values. (CInterface.NullOptionsAreTheMacros)
 *   I3  Handles may be closed in any order; NULL may be closed. What a handle
 *       needs of another one lives as long as it does. No thread and no mapping
 *       is left once all are closed. What is asked of NULL is 0 or NULL.
 *       (CInterface.WhatIsAskedOfNullIsNothing,
 *       CInterface.HandlesCloseInAnyOrder, Null.*)
 *   I4  Models, samplers, queues, tickets and cancel flags may be used by
 *       several threads at once. So may engines and different sessions of one:
 *       their evals take turns. One session or decoder is for one thread at a
 *       time. (CacheModel.*, QueueTest.AnyThreadAddsWhileOneRuns)
 *   I5  The library has no global state, writes nothing to standard streams,
 *       takes no signals, neither reads nor changes the locale, leaves the
 *       floating-point environment as it was and never ends the process. What
 *       a callback throws is an error of kind LLAMART_ERROR_CALLBACK.
 *       (CInterface.CallbacksThatThrowAreErrors, Surroundings.*)
 *   I6  Strings are UTF-8. Arrays and texts that are returned through a pointer
 *       to a pointer are freed with llamart_free.
 *       (CInterface.TextGoesThereAndBack)
 *   I7  An engine's threads are in the process that made it. After fork() an
 *       eval in the child is LLAMART_ERROR_SYSTEM, never a wait, unless the
 *       engine has one thread or an executor, and was idle; the child makes an
 *       engine of its own. Open models and samplers stay usable, and all
 *       handles may be closed.
 *       (EngineTest.ForkedProcessIsToldThatThreadsStayedBehind)
 *   I8  Callbacks may call what is said of texts, models, samplers and cancel
 *       flags; the getters, llamart_session_logprobs and _attention, and
 *       llamart_session_fork of their own job's session; llamart_queue_add,
 *       _wake and _stop and what is said of tickets but waiting; and anything
 *       of other engines. Stepping their own queue and changing their own
 *       session fail with LLAMART_ERROR_ARGUMENT, and so does the engine when
 *       its executor calls it. (QueueTest.CallbacksMayAddAndMayNotStep,
 *       EngineTest.AnExecutorThatCallsItsEngineIsAnErrorAndNoWait)
 *   I9  A thread that calls needs 128 KiB of stack, and llamart_model_info says
 *       what a forward call takes of it. (Surroundings.ASmallStackSuffices)
 *
 * How structs grow, so that programs and libraries of different versions fit:
 *
 *   G1  A new field means "as before" when it is 0. (Growth.*)
 *   G2  What a caller's struct_size leaves out is 0. It is a multiple of 8.
 *   G3  What a larger struct has beyond the library's must be 0; else the call
 *       is LLAMART_ERROR_UNSUPPORTED, which names the byte.
 *   G4  The library reads and writes nothing beyond the caller's size. Elements
 *       of an array have one struct_size, the distance between them.
 *   G5  No struct ends in padding: fields called `reserved` must be 0.
 *   G6  Of structs that the library fills, LLAMART_HAS says whether it knew a
 *       field.
 *
 *===----------------------------------------------------------------------===*/

#ifndef LLAMART_H
#define LLAMART_H

#include "llamart/library.h"

#include "llamart/errors.h"

#include "llamart/models.h"

#include "llamart/texts.h"

#include "llamart/engines.h"

#include "llamart/samplers.h"

#include "llamart/jobs.h"

#endif /* LLAMART_H */
