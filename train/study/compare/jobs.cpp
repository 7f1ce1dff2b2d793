#include "train/study/compare/jobs.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

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
    Job job;
    pid_t process = 0;
    Descriptor ending;  // readable when the process has ended; -1 where the system has none
    int threads = 0;
    bool one_of_the_last = false;
    bool told = false;  // to stop
    Clock::time_point began;
    double share = 0;  // of the steps it has to do
};

class Runner {
  public:
    Runner(JobSource& source, const Pace& pace) : source_(source), pace_(pace), observer_(*pace.observer) {}

    void go() {
        try {
            for (;;) {
                pass_signal_on();
                while (!signalled_ && static_cast<int>(running_.size()) < pace_.parallel)
                    if (std::optional<Job> job = source_.next())
                        begin(std::move(*job));
                    else
                        break;
                if (running_.empty() && (signalled_ || source_.exhausted()))
                    break;
                wait_a_moment();
                source_.tick();
                if (pace_.tick)
                    pace_.tick();
                reap();
                stop_those_not_kept();
                say();
            }
        } catch (...) {
            for (const Running& r : running_) ::kill(r.process, SIGTERM);
            for (const Running& r : running_) wait(r.process, 0);
            throw;
        }
        observer_.show("");
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

    // Until a process ends, or as long as Pace::interval.
    void wait_a_moment() const {
        std::vector<pollfd> endings;
        bool all = true;
        for (const Running& r : running_) {
            all &= r.ending.get() >= 0;
            endings.push_back({r.ending.get(), POLLIN, 0});
        }
        constexpr std::chrono::milliseconds often(10);
        const auto most = all ? pace_.interval : std::min(pace_.interval, often);
        ::poll(endings.data(), endings.size(), static_cast<int>(most.count()));  // a signal may end it early
    }

    void pass_signal_on() {
        const int signal = pace_.stop ? pace_.stop() : 0;
        if (signal == 0 || signalled_)
            return;
        signalled_ = true;
        observer_.info("stopping: {} to be saved; the same command continues", counted(std::ssize(running_), "run"));
        for (const Running& r : running_) ::kill(r.process, signal);
    }

    void stop_those_not_kept() {
        for (Running& r : running_)
            if (!source_.keeps(r.job) && !r.told) {
                r.told = true;
                ::kill(r.process, SIGTERM);
            }
    }

    void begin(Job job) {
        Running r;
        const int64_t left = source_.left() + 1;  // with this one
        if (begun_ == 0)
            all_at_once_ = left <= pace_.parallel;
        r.one_of_the_last = all_at_once_ || (begun_ >= pace_.parallel && left <= pace_.parallel);
        if (pace_.threads > 0) {
            int64_t given = 0;
            for (const Running& other : running_) given += other.one_of_the_last ? other.threads : 0;
            r.threads = static_cast<int>(
                std::max<int64_t>(1, r.one_of_the_last ? (pace_.threads - given) / left : pace_.threads / pace_.parallel));
            job.arguments.push_back(fmt::format("--threads={}", r.threads));
        }
        r.process = pace_.start(job);
        r.ending = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, r.process, 0)));
        r.began = Clock::now();
        ++begun_;
        observer_.info("{}/{}  {}: begun{}{}", source_.done() + std::ssize(running_) + 1, source_.all(), job.name,
                       job.first > 0 ? fmt::format(" again after step {}", job.first) : "",
                       r.threads > 1 ? fmt::format(", on {} threads", r.threads) : "");
        r.job = std::move(job);
        running_.push_back(std::move(r));
    }

    void reap() {
        // Off the list before anything that can fail: a process that was waited for must not be
        // signalled, as its number may be another's by then.
        for (std::size_t i = 0; i < running_.size();) {
            const std::optional<int> code = wait(running_[i].process, WNOHANG);
            if (!code) {
                ++i;
                continue;
            }
            const Running r = std::move(running_[i]);
            running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
            ended(r, *code);
        }
    }

    void ended(const Running& r, int code) {
        const Job& job = r.job;
        const JobEnd end{code, code == 0 ? "" : last_line(messages(job.folder))};
        const double seconds = seconds_since(r.began);
        if (code == 0) {
            observer_.info("{}: finished in {:.1f} s", job.name, seconds);
            if (job.steps > job.first)
                took_[job.variant] = seconds / static_cast<double>(job.steps - job.first);
        } else if (was_stopped(end) || r.told) {
            observer_.info("{}: stopped", job.name);
        } else {
            observer_.warning("{}: {} (exit code {}): {}", job.name, code == 3 ? "diverged" : "failed", code, end.message);
        }
        source_.ended(job, end);
    }

    // How far the running ones are, once a second on a live terminal, and every half minute in a
    // log.
    void say() {
        const bool live = observer_.live();
        if (seconds_since(said_) < (live ? 1 : 30) || running_.empty())
            return;
        said_ = Clock::now();
        std::string text = fmt::format("{}/{} runs done", source_.done(), source_.all());
        for (Running& r : running_) {
            const Job& job = r.job;
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
        const std::optional<std::span<const Job>> waiting = source_.waiting();
        std::map<std::string, double> pace = took_;
        for (const Running& r : running_)
            if (r.share > 0)
                pace.try_emplace(r.job.variant,
                                 seconds_since(r.began) / (r.share * static_cast<double>(r.job.steps - r.job.first)));
        if (pace.empty() || !waiting)
            return std::nullopt;
        double mean = 0;
        for (const auto& [variant, seconds] : pace) mean += seconds / static_cast<double>(pace.size());
        const auto whole = [&](const Job& job) {
            const auto found = pace.find(job.variant);
            return (found == pace.end() ? mean : found->second) * static_cast<double>(job.steps - job.first);
        };
        double sum = 0, longest = 0;
        for (const Running& r : running_) {
            const double left = (1 - r.share) * whole(r.job);
            sum += left;
            longest = std::max(longest, left);
        }
        for (const Job& job : *waiting) sum += whole(job);
        return std::max(longest, sum / pace_.parallel);
    }

    JobSource& source_;
    const Pace& pace_;
    Observer& observer_;
    std::vector<Running> running_;
    int64_t begun_ = 0;
    bool all_at_once_ = false;  // no job waits for the end of another
    bool signalled_ = false;
    std::map<std::string, double> took_;  // seconds a step
    Clock::time_point said_ = Clock::now();
};

// Jobs in their order.
class JobList final : public JobSource {
  public:
    explicit JobList(const std::vector<Job>& jobs) : jobs_(jobs), ends_(jobs.size()) {
        for (std::size_t i = 0; i < jobs_.size(); ++i) jobs_[i].number = i;
    }
    std::optional<Job> next() override { return exhausted() ? std::nullopt : std::optional(jobs_[next_++]); }
    bool exhausted() override { return next_ == jobs_.size(); }
    int64_t left() override { return std::ssize(jobs_) - static_cast<int64_t>(next_); }
    int64_t all() const override { return std::ssize(jobs_); }
    int64_t done() const override { return done_; }
    std::optional<std::span<const Job>> waiting() const override { return std::span(jobs_).subspan(next_); }
    void ended(const Job& job, const JobEnd& end) override {
        ends_[job.number] = end;
        ++done_;
    }
    std::vector<std::optional<JobEnd>> ends() && { return std::move(ends_); }

  private:
    std::vector<Job> jobs_;
    std::vector<std::optional<JobEnd>> ends_;
    std::size_t next_ = 0;
    int64_t done_ = 0;
};

}  // namespace

bool was_stopped(const JobEnd& end) { return end.code == 128 + SIGINT || end.code == 128 + SIGTERM; }
bool has_failed(const JobEnd& end) { return end.code != 0 && end.code != 3 && !was_stopped(end); }

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

void run_jobs(JobSource& source, const Pace& pace) { Runner(source, pace).go(); }

std::vector<std::optional<JobEnd>> run_jobs(const std::vector<Job>& jobs, const Pace& pace) {
    JobList list(jobs);
    run_jobs(list, pace);
    return std::move(list).ends();
}

}  // namespace attend::compare
