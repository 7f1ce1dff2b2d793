#include <memory>
#include <ostream>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/output_file.h"
#include "train/cli/cli.h"
#include "train/config/utf8.h"
#include "train/experiment/experiment.h"
#include "train/records/checkpoint.h"
#include "train/records/run_folder.h"
#include "train/study/in_double.h"

namespace attend::cli {

namespace {

namespace fs = std::filesystem;

struct LabArguments {
    ConfigArguments config;
    lab::Setup setup;
    std::vector<std::string> more;  // estimators, after the first
    std::string out;
    bool json = false;
};

// Where to measure: all checkpoints of a run, or the initial weights of a config.
struct Subject {
    Experiment experiment;
    std::string saved;
    std::vector<lab::Place> places;
    fs::path out;
};

Subject subject_of(const LabArguments& a) {
    Subject s;
    if (!is_folder(a.config.config)) {
        s.experiment = read_experiment(a.config.config, a.config.assignments());
        s.places.push_back({});
        s.out = fs::path("runs") / (s.experiment.name + ".lab.json");
        return s;
    }
    const RunFolder folder{fs::path(a.config.config)};
    s.experiment = a.config.assignments().empty() ? folder.experiment()
                                                  : read_experiment(folder.config().string(), a.config.assignments());
    require(folder.has_checkpoint(), "{}: no run with a checkpoint: checkpoints {}, at least {}; attend train writes them",
            a.config.config, 0, 1);
    if (is_there(folder.vocabulary()))
        s.saved = folder.vocabulary().string();
    for (const fs::path& checkpoint : folder.steps())
        s.places.push_back({checkpoint.string(), read_progressed(checkpoint).step});
    s.out = folder.lab();
    return s;
}

}  // namespace

Action declare_lab(CommandLine& app) {
    auto a = std::make_shared<LabArguments>();
    add_config(app, a->config, "a JSON file, measured at its initial weights; or a run's folder, at its checkpoints");
    const Option estimator =
        app.add_option(
               "--estimator", a->setup.estimators,
               "one to compare with the configured one, as --set gives it (a name or JSON); others may follow, or it may "
               "be given again (default: all)")
            .type_name("ESTIMATOR")
            .one_value_each();
    // An option of many values would take CONFIG where that stands after it.
    app.add_option("ESTIMATOR", a->more, "those that follow --estimator E").needs(estimator);
    app.add_integer("--rows", a->setup.rows, {0, int64_t{1} << 20}, "rows of the first training batch to use; 0: all");
    app.add_integer("--draws", a->setup.draws, {48, int64_t{1} << 30}, "estimates of each estimator");
    app.add_integer("--samples", a->setup.samples, {1, 1024}, "choices drawn for each example, of the default estimators");
    app.add_integer("--adapt", a->setup.adapt, {0, int64_t{1} << 30},
                    "steps in which an estimator's own network learns before it is measured");
    app.add_option("--out", a->out, "where to write the numbers (default: RUN/lab.json, or runs/NAME.lab.json of a config)");
    add_threads(app, a->setup.threads);
    app.add_flag("--json", a->json, "one JSON object on standard output in place of the tables");
    return [a](Streams& streams) {
        lab::Setup setup = a->setup;
        setup.estimators.insert(setup.estimators.end(), a->more.begin(), a->more.end());
        const Subject s = subject_of(*a);  // what is wrong is said before anything else is started
        const lab::Report report =
            f64::measure_estimators(tree_of(s.experiment, a->config.config), a->config.config, s.saved, s.places, setup);
        const fs::path out = a->out.empty() ? s.out : fs::path(a->out);
        if (out.has_parent_path())
            make_folders(out.parent_path());
        const std::string numbers = lab::json_of(report).text(2) + "\n";
        if (a->out.empty())
            write_file_atomically(out, numbers);
        else
            write_output_file(out, numbers);
        streams.out << (a->json ? numbers : utf8::shown(lab::text_of(report)));
        streams.error << "written: " << utf8::shown(out.string()) << "\n";
        return 0;
    };
}

}  // namespace attend::cli
