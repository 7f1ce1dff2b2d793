#pragma once
/// Runs that write their page at the end, as those of the program do.
#include "tests/train/run_support.h"
#include "train/show/report/report.h"

namespace attend::ATTEND_PRECISION::testing {

/// Writes the page of a run at its end, and nothing else.
class PageWriter final : public Observer {
  public:
    void summarised(const std::filesystem::path& folder) override { (void)try_to_report(RunFolder(folder)); }
};

class PagedRun : public SmallRun {
  public:
    TrainRequest request(const std::string& name, const std::vector<std::string>& set = {}) const {
        TrainRequest r = SmallRun::request(name, set);
        r.observer = &pages_;
        return r;
    }
    /// Trains a new run.
    TrainResult run(const std::string& name, const std::vector<std::string>& set = {}) const {
        return train(request(name, set));
    }

  private:
    mutable PageWriter pages_;
};

}  // namespace attend::ATTEND_PRECISION::testing
