#pragma once
/// near_diagonal: a long source in which each target symbol is written as a run of variants of it,
/// as the frames of a sound or the strokes of a letter follow each other in recognition of speech and
/// handwriting:
///
///     source   7a 7c 7a 2b 5a 5a 5c 5b 1a 1c ...      target   7 2 5 1 ...
///
/// A run has 1 ... max_run symbols, each of which is one of `variants` variants, "a", "b", ...; the
/// last run is cut where the source reaches its length. Neighbouring symbols of the target differ, so
/// that the runs can be told apart. Target symbol t of T lies near position t S / T of the S positions
/// of the source, and never before the one of t - 1: attention to a window around there (Luong 2015,
/// 3.2) or one that only moves forward (Raffel 2017) is enough.
///
/// Gold alignment: the run. A target belongs to one split.
#include "data/tasks/generated.h"

namespace attend {

struct NearDiagonalOptions {
    GeneratedOptions examples;
    int64_t symbols = 20;
    int64_t variants = 3;
    int64_t max_run = 4;
    int64_t min_length = 200, max_length = 200;
    int64_t test_min_length = 0, test_max_length = 0;
    void fields(Visitor& v) {
        examples.fields(v);
        v.integer("symbols", symbols, {2, 10'000}, "symbols of the target");
        v.integer("variants", variants, {1, 26}, "variants of each symbol in the source");
        v.integer("max_run", max_run, {1, 1000}, "a symbol is written 1 ... max_run times");
        v.integer("min_length", min_length, {1, 16384}, "symbols of the shortest source");
        v.integer("max_length", max_length, {1, 16384}, "symbols of the longest source");
        v.integer("test_min_length", test_min_length, {1, 16384, "auto"},
                  "symbols of the test's shortest source; auto: min_length");
        v.integer("test_max_length", test_max_length, {1, 16384, "auto"},
                  "symbols of the test's longest source, which may be longer than training shows; auto: max_length");
    }
};

/// Throws Error for lengths that are the wrong way round, or when the data would be too large.
std::unique_ptr<Task> near_diagonal_task(const NearDiagonalOptions& options, const TaskSetup& setup);

}  // namespace attend
