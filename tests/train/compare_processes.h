#pragma once
/// Comparisons whose runs are processes, forked from the test itself.
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/show/report/compare_page.h"
#include "train/study/compare/compare.h"

namespace attend::ATTEND_PRECISION::testing {

/// What start_process() does, without another program: the tests' own has no commands.
inline pid_t forked(const compare::Job& job) {
    const pid_t parent = ::getpid(), process = ::fork();
    if (process != 0)
        return process;
    compare::become_job(compare::messages(job.folder).c_str(), parent);
    ::_exit(cli::run(job.arguments, {std::cin, std::cout, std::cerr, false}));
}

/// A process that says why it fails, and fails.
inline pid_t failing(const compare::Job& job) {
    const pid_t parent = ::getpid(), process = ::fork();
    if (process != 0)
        return process;
    compare::become_job(compare::messages(job.folder).c_str(), parent);
    std::cerr << "attend: the disk is full" << std::endl;
    ::_exit(1);
}

struct Compares {
    SmallRun files;
    std::string config(const std::string& text) const {
        std::ofstream(files / "compare.json") << text;
        return (files / "compare.json").string();
    }
    compare::CompareRequest request(const std::string& text, const std::vector<std::string>& set = {}) const {
        compare::CompareRequest r;
        r.comparison = compare::read_comparison(config(text), set);
        r.folder = (files / "out").string();
        r.threads = 2;
        r.start = forked;
        r.compared = [folder = r.folder, name = r.comparison.name](const compare::Compared& done) {
            compare::write_page(folder, name, done);
        };
        return r;
    }
    Json json() const { return Json::parse(files.text("out/compare.json")); }
};

}  // namespace attend::ATTEND_PRECISION::testing
