#include <memory>
#include <ostream>

#include "core/options.h"
#include "train/cli/cli.h"

namespace attend::inline ATTEND_PRECISION::cli {

Action declare_list(CLI::App& app) {
    auto kind = std::make_shared<std::string>();
    app.add_option("SEAM", *kind, "task, model, score, ... (default: all)");
    return [kind](Streams& streams) {
        std::vector<std::string> kinds;
        bool found = kind->empty();
        for (const Seam* seam : all_seams()) {
            kinds.emplace_back(seam->kind());
            if (!kind->empty() && *kind != seam->kind())
                continue;
            found = true;
            streams.out << seam->kind() << '\n';
            for (const std::string& name : seam->names()) streams.out << fmt::format("  {:<20} {}\n", name, seam->help(name));
        }
        if (!found) {
            std::string known;
            for (const std::string& k : kinds) known += (known.empty() ? "" : ", ") + k;
            const std::string near = nearest_name(*kind, kinds);
            fail("list: no such seam: '{}', known {}{}", *kind, known, near.empty() ? "" : "; did you mean '" + near + "'?");
        }
        return 0;
    };
}

}  // namespace attend::inline ATTEND_PRECISION::cli
