#pragma once
/// The config of a comparison: a base experiment, variants that change some of its options, and the
/// seeds that each is run with. Begin reading here; compare.h runs it, table.h draws the
/// conclusions.
#include <string>
#include <vector>

#include "train/experiment/experiment.h"
#include "train/study/compare/length_curves.h"

namespace attend::compare {

/// How the runs are compared. 0 and "" stand for the automatic word of an option.
struct CompareOptions {
    std::string metric;
    std::string split = "auto";
    std::string evaluation = "last";
    std::string reference;
    double threshold = 0;
    double collapsed = 0;
    double confidence = 0.95;
    double power = 0.8;
    std::vector<double> steps;
    Selection by_length{by_length_table(), "none"};
    bool aa = false;
    void fields(Visitor& v);
};

/// What a comparison's config lists besides its base and its variants.
struct ComparisonOptions {
    std::string name;
    std::string base;
    std::vector<double> seeds = {1, 2, 3};
    CompareOptions compare;
    void fields(Visitor& v);
};

struct Variant {
    std::string name;
    Experiment experiment;  ///< of the base, changed; as read: automatic values are still to be chosen
    /// The reference itself with its batches in another order: a difference that is found between
    /// the two is a false one.
    bool null_variant = false;
};

struct Comparison {
    std::string path;  ///< of the config
    std::string name;
    std::vector<int64_t> seeds;
    std::vector<Variant> variants;  ///< at least one
    CompareOptions options;
    /// Number of the variant that the others are compared with: the one that is named, or the first.
    /// Of the first variant's combinations with a grid it is the one that changes nothing, if any.
    std::size_t reference = 0;
};

/// Whether the config at `path` is a comparison: an object with "variants" or "grid"; false for what is not
/// there, and for a pipe, whose text can be read once. Throws Error as config::load.
bool is_comparison(const std::string& path);

/// Reads it. Of the `--set` assignments those of keys below `compare` change the comparison, all
/// others the base, so what a variant says wins. A grid (grid.h) makes a variant of each
/// combination of its values with each of the variants, or with the base where there are none. `seeds` above 0 are as many of
/// the config's, and the next integers where those are too few. Throws Error, naming the variant for what goes wrong in one, as
/// read_experiment() does, for a base that is a comparison itself, for no variants, names that cannot be folders', seeds that
/// are no integers or given twice, a variant that sets `seed` or undoes what it has set before, and a reference that is no
/// variant.
Comparison read_comparison(const std::string& path, const std::vector<std::string>& assignments, int64_t seeds = 0);

}  // namespace attend::compare
