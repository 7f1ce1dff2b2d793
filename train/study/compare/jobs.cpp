#include "train/study/compare/jobs.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <thread>

#include "core/base/error.h"
#include "core/base/system_call.h"
#include "train/config/clock.h"
#include "train/config/words.h"
#include "train/records/numbers.h"
#include "train/study/compare/record.h"

namespace attend::compare {

namespace fs = std::filesystem;

namespace {

std::string last_line(const fs::path& path) {
    std::ifstream in(path);
    std::string last;
    for (std::string line; std::getline(in, line);)
        if (!line.empty())
            last = std::move(line);
    constexpr std::string_view program = "attend: ";
    return last.starts_with(program) ? last.substr(program.size()) : last;
}

struct Running {
    std::size_t job = 0;
    pid_t process = 0;
    Clock::time_point began;
    double share = 0;  // of the steps it has to do
};

class Runner {
  public:
    Runner(const std::vector<Job>& jobs, const Pace& pace)
        : jobs_(jobs), pace_(pace), observer_(*pace.observer), ends_(jobs.size()) {}

    std::vector<std::optional<JobEnd>> go() {
        try {
            while (next_ < jobs_.size() || !running_.empty()) {
                pass_signal_on();
                while (!signalled_ && next_ < jobs_.size() && static_cast<int>(running_.size()) < pace_.parallel) begin_next();
                if (signalled_ && running_.empty())
                    break;
                std::this_thread::sleep_for(pace_.interval);
                reap();
                say();
            }
        } catch (...) {
            stop_all(SIGTERM);
            for (const Running& r : running_) wait(r.process, 0);
            throw;
        }
        observer_.show("");
        return std::move(ends_);
    }

  private:
    static std::optional<int> wait(pid_t process, int options) {
        int status = 0;
        const pid_t got = uninterrupted([&] { return ::waitpid(process, &status, options); });
        if (got == 0)
            return std::nullopt;
        if (got < 0)  // somebody else has waited for it
            return 1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    void stop_all(int signal) {
        for (const Running& r : running_) ::kill(r.process, signal);
    }

    void pass_signal_on() {
        const int signal = pace_.stop ? pace_.stop() : 0;
        if (signal == 0 || signalled_)
            return;
        signalled_ = true;
        observer_.info("stopping: {} to be saved; the same command continues", counted(std::ssize(running_), "run"));
        stop_all(signal);
    }

    void begin_next() {
        const Job& job = jobs_[next_];
        const pid_t process = pace_.start(job);
        running_.push_back({next_, process, Clock::now(), 0});
        ++next_;
        observer_.info("{}/{}  {}: begun{}", next_, jobs_.size(), job.name,
                       job.first > 0 ? fmt::format(" again after step {}", job.first) : "");
    }

    void reap() {
        // Off the list before anything that can fail: a process that was waited for must not be
        // signalled, as its number may be another's by then.
        for (std::size_t i = 0; i < running_.size();) {
            const Running r = running_[i];
            const std::optional<int> code = wait(r.process, WNOHANG);
            if (!code) {
                ++i;
                continue;
            }
            running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
            ended(r, *code);
        }
    }

    void ended(const Running& r, int code) {
        const Job& job = jobs_[r.job];
        ends_[r.job] = {code, code == 0 ? "" : last_line(messages(job.folder))};
        const double seconds = seconds_since(r.began);
        if (code == 0) {
            observer_.info("{}: finished in {:.1f} s", job.name, seconds);
            if (job.steps > job.first)
                took_[job.variant] = seconds / static_cast<double>(job.steps - job.first);
        } else if (code == 128 + SIGINT || code == 128 + SIGTERM) {
            observer_.info("{}: stopped", job.name);
        } else {
            observer_.warning("{}: {} (exit code {}): {}", job.name, code == 3 ? "diverged" : "failed", code,
                              ends_[r.job]->message);
        }
    }

    // How far the running ones are, once a second on a live terminal, and every half minute in a
    // log.
    void say() {
        const bool live = observer_.live();
        if (seconds_since(said_) < (live ? 1 : 30) || running_.empty())
            return;
        said_ = Clock::now();
        std::string text = fmt::format("{}/{} runs done", next_ - running_.size(), jobs_.size());
        for (Running& r : running_) {
            const Job& job = jobs_[r.job];
            const int64_t all = std::max<int64_t>(1, job.steps - job.first);
            r.share =
                std::clamp(static_cast<double>(step_reached(job.folder) - job.first) / static_cast<double>(all), 0.0, 1.0);
            text += fmt::format("  {} {:.0f} %", job.name, 100 * r.share);
        }
        if (const std::optional<double> left = seconds_left())
            text += fmt::format("  {} left", duration_text(*left));
        if (live)
            observer_.show(text);
        else
            observer_.info("{}", text);
    }

    // Seconds a step of each variant: of its runs that ended, or of one under way; of others the
    // mean of those.
    std::optional<double> seconds_left() const {
        std::map<std::string, double> pace = took_;
        for (const Running& r : running_) {
            const Job& job = jobs_[r.job];
            if (r.share > 0)
                pace.try_emplace(job.variant, seconds_since(r.began) / (r.share * static_cast<double>(job.steps - job.first)));
        }
        if (pace.empty())
            return std::nullopt;
        double mean = 0;
        for (const auto& [variant, seconds] : pace) mean += seconds / static_cast<double>(pace.size());
        const auto whole = [&](const Job& job) {
            const auto found = pace.find(job.variant);
            return (found == pace.end() ? mean : found->second) * static_cast<double>(job.steps - job.first);
        };
        double sum = 0, longest = 0;
        for (const Running& r : running_) {
            const double left = (1 - r.share) * whole(jobs_[r.job]);
            sum += left;
            longest = std::max(longest, left);
        }
        for (std::size_t i = next_; i < jobs_.size(); ++i) sum += whole(jobs_[i]);
        return std::max(longest, sum / pace_.parallel);
    }

    const std::vector<Job>& jobs_;
    const Pace& pace_;
    Observer& observer_;
    std::vector<std::optional<JobEnd>> ends_;
    std::vector<Running> running_;
    std::size_t next_ = 0;
    bool signalled_ = false;
    std::map<std::string, double> took_;  // seconds a step
    Clock::time_point said_ = Clock::now();
};

}  // namespace

fs::path messages(const fs::path& folder) { return folder / "messages.txt"; }

void become_job(const char* output, pid_t parent) {
    // Between fork and exec: system calls only.
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent)  // it died before it could be asked to tell
        ::_exit(128 + SIGTERM);
    ::unlink(output);  // a file of an earlier process, which may still write into it, or a link, not what it leads to
    const int nothing = uninterrupted([] { return ::open("/dev/null", O_RDONLY); });
    const int file = uninterrupted([&] { return ::open(output, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666); });
    if (nothing < 0 || file < 0 || ::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(file, STDOUT_FILENO) < 0 ||
        ::dup2(file, STDERR_FILENO) < 0)
        ::_exit(1);
    ::close(nothing);
    ::close(file);
}

pid_t start_process(const Job& job) {
    std::vector<std::string> words = {"attend"};
    words.insert(words.end(), job.arguments.begin(), job.arguments.end());
    std::vector<char*> pointers;
    for (std::string& w : words) pointers.push_back(w.data());
    pointers.push_back(nullptr);
    const std::string output = messages(job.folder).string();
    const pid_t parent = ::getpid(), process = ::fork();
    const int code = errno;
    ensure(process >= 0, "{}: no process can be made: {}", job.name, std::strerror(code));
    if (process > 0)
        return process;
    become_job(output.c_str(), parent);
    ::execv("/proc/self/exe", pointers.data());  // this program even where its file was replaced meanwhile
    ::_exit(1);
}

std::vector<std::optional<JobEnd>> run_jobs(const std::vector<Job>& jobs, const Pace& pace) { return Runner(jobs, pace).go(); }

}  // namespace attend::compare
