#pragma once
/// Every option of an experiment with its value, its default, and where the value is from.
#include <string>
#include <vector>

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
    std::string initial;  ///< the default, as JSON; that of the chosen row for what stands in a row
    Origin origin = Origin::initial;
};

/// The options in the order of the listing, those of the chosen rows only. `resolved` is `asked` with every automatic value
/// chosen; where that one turned another off (epochs into steps), the one asked for is shown.
std::vector<Setting> settings(const Experiment& asked, const Experiment& resolved);

}  // namespace attend::plan
