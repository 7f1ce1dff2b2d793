#include <filesystem>
#include <memory>
#include <ostream>

#include "core/base/file_errors.h"
#include "train/cli/cli.h"
#include "train/config/utf8.h"
#include "train/study/prove/prove.h"

namespace attend::cli {

namespace {
struct ProveArguments {
    ConfigArguments config;
    int threads = 1;
    bool json = false;
};
}  // namespace

Action declare_prove(CommandLine& app) {
    auto a = std::make_shared<ProveArguments>();
    add_config(app, a->config, "a JSON file, whose initial weights are used; or a run's folder, or one of its checkpoints");
    add_threads(app, a->threads, "threads of the gradients' check; results do not depend on it");
    app.add_flag("--json", a->json, "one JSON object");
    app.footer("Exit code: 0 when every property that applies holds; 1 when one fails, with its module named.");
    return [a](Streams& streams) {
        const std::string& path = a->config.config;
        const bool run = is_folder(path);
        require(!run || a->config.assignments().empty(),
                "prove {}: a run is proved as it is: changes by --set or --seed {}, allowed {}", path,
                a->config.assignments().size(), 0);
        prove::Subject subject = run ? prove::subject_of_run(std::filesystem::absolute(path).lexically_normal().string())
                                     : prove::subject_of_config(read_experiment(path, a->config.assignments()), path);
        subject.threads = a->threads;
        const prove::Report report = prove::prove(subject);
        streams.out << (a->json ? prove::json_of(report).text(2) + "\n" : utf8::shown(prove::text_of(report)));
        return report.passed() ? 0 : 1;
    };
}

}  // namespace attend::cli
