#include "train/schema/schema.h"

#include <CLI/CLI.hpp>
#include <ostream>

#include "train/cli/cli.h"

namespace attend::inline ATTEND_PRECISION::cli {

Action declare_schema(CLI::App&) {
    return [](Streams& streams) {
        streams.out << schema::config_schema().dump(2) << '\n';
        return 0;
    };
}

}  // namespace attend::inline ATTEND_PRECISION::cli
