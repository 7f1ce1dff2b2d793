#pragma once
/// Every option of an experiment with its value, its default, and the origin of the value.
#include <string>
#include <vector>

#include "train/config/describe.h"
#include "train/experiment/experiment.h"

namespace attend::plan {

struct Setting {
    enum class Origin {
        initial,  ///< the default
        given,    ///< by the config or the command line, and not the default
        chosen,   ///< in place of an automatic value
    };
    std::string path;     ///< "optimizer.learning_rate"
    std::string value;    ///< as JSON
    std::string initial;  ///< the default, as JSON; for an option of a row the default of that row
    Origin origin = Origin::initial;
};

/// The options in the order of the listing, with those of the chosen rows only. `resolved` is
/// `asked` with every automatic value chosen. Where that reset an option that was given (`epochs`,
/// replaced by `steps`), the given value is shown.
std::vector<Setting> settings(const Experiment& asked, const Experiment& resolved);
/// The same of any options: the first two as describe() gives them with SeamRows::chosen, the
/// defaults with SeamRows::all.
std::vector<Setting> settings(const std::vector<config::Option>& asked, const std::vector<config::Option>& resolved,
                              const std::vector<config::Option>& initial);

}  // namespace attend::plan
