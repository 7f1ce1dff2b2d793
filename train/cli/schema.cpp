#include "train/show/schema/schema.h"

#include <memory>
#include <ostream>

#include "train/cli/cli.h"

namespace attend::cli {

Action declare_schema(CommandLine& app) {
    auto comparison = std::make_shared<bool>(false);
    app.add_flag("--comparison", *comparison, "of a comparison's config, which 'attend compare' reads");
    return [comparison](Streams& streams) {
        streams.out << (*comparison ? schema::comparison_schema() : schema::config_schema()).dump(2) << '\n';
        return 0;
    };
}

}  // namespace attend::cli
