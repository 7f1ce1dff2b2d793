#include "train/learn/run_state.h"

#include <limits>

#include "core/base/memory.h"
#include "core/base/own_files.h"
#include "core/gemm.h"
#include "train/evaluate/resolve.h"
#include "train/exchange/pretrained.h"
#include "train/records/build_info.h"
#include "train/records/older_checkpoints.h"

namespace attend {

namespace fs = std::filesystem;

namespace {

// A run that continues is locked before anything of it is read; the folder of a new one is made and
// locked by begin().
RunLock lock_existing(const TrainRequest& request, const RunFolder& folder) {
    folder.check(request.existing);
    RunLock lock = request.existing == Existing::resume ? folder.lock_to_resume() : RunLock();
    lock.watch(request.claim);
    return lock;
}

// The task and the resolved experiment; the folder stays as it is. On resuming, shards and
// vocabulary are the run's.
Experiment choose(const TrainRequest& request, const RunFolder& folder, std::unique_ptr<Task>& task) {
    const bool resuming = request.existing == Existing::resume;
    if (!resuming)
        require_not_extended(request.experiment, request.experiment.name);
    task = make_task(request.experiment, resuming && folder.has_checkpoint() ? folder.vocabulary().string() : std::string());
    Experiment asked = request.experiment;
    if (resuming && asked.train.shards == 0)  // as many as it began with, which may be more than this machine's cores
        asked.train.shards = folder.experiment().train.shards;
    Experiment now = resolve_for(std::move(asked), *task);
    return resuming ? resumed(folder, request.experiment, std::move(now), request.extend) : now;
}

}  // namespace

RunState::RunState(const TrainRequest& asked)
    : request(asked),
      log(*asked.observer),
      folder(asked.folder),
      lock(lock_existing(asked, folder)),
      workers(asked.threads),
      experiment(choose(asked, folder, task)),
      data(data_seal(experiment)),
      made(with_room_to_train(make_model(experiment, *task), experiment.train)),
      objective(objective_table().build(experiment.objective)),
      optimizer(optimizer_table().build(experiment.optimizer, *made.store)),
      schedule(schedule_of(experiment, optimizer->learning_rate())),
      batches(task->batches(Split::train, training_order(experiment))),
      training_step({*made.model, *made.store, *objective, *optimizer, *schedule, workers}, step_settings(experiment)) {
    require(task->size(Split::valid) > 0 || schedule->state().empty(),
            "schedule {}: it follows evaluations of a validation split, and the data have none: validation examples {}, "
            "least 1",
            experiment.schedule.name(), task->size(Split::valid));
    if (!going_on()) {
        begun_with = take_weights(experiment.init, *made.model, *made.store);
        at.weights = weights_seal(experiment.init);
    }
    if (options().average > 0) {
        averaged = make_model(experiment, *task);
        average.emplace(AverageOptions{.decay = options().average, .warmup = options().average_warmup}, *made.store,
                        *averaged.store);
    }
}

void RunState::begin_from_checkpoint() {
    at = load_last(folder, trained());
    saved_step = at.step;
    folder.check_vocabulary(at.vocabulary);
    require(at.data == data,
            "{}: not the data that this run was trained on: files [{}], the checkpoint says [{}]; a new "
            "run can begin with its weights (init.from)",
            folder.config().string(), data, at.data);
    restore_schedule(*schedule, experiment, at, folder.last().string());
    at.schedule = schedule->state();
    folder.cut_back(at.step, at.valid ? at.valid->step : 0);
    cut_back_maps(folder.maps(), at.step);
    folder.remove_summary();  // it speaks of an end that is none any more
    folder.cut_back_checkpoints(at);
    if (!fs::exists(folder.best()))
        at.best.reset();
    folder.write_config(experiment);
}

void RunState::begin_anew() {
    folder.prepare_new();
    folder.write_config(experiment);
    make_folder(folder.vocabulary());
    task->save(folder.vocabulary().string());
    remove_empty_folder(folder.vocabulary());
    make_folder(folder.checkpoints());
    at.vocabulary = folder.vocabulary_seal();
    at.data = data;
}

void RunState::log_beginning(const ExtendedOptions& extended_before) {
    const bool resuming = request.existing == Existing::resume;
    if (resuming)
        log.info("{} {} steps", saved_step == at.step ? "resumed after" : "no checkpoint yet, so begun again after", at.step);
    if (!at.program.empty() && at.program != program_name())
        log.warning(
            "the checkpoint was written by attend {}, this is {}: steps from here on can have other bits than that one's",
            at.program, program_name());
    if (experiment.extended.at.size() > extended_before.at.size())
        log.info("extended {}; schedule {} {}", extended_text(experiment.extended), text_of(experiment.schedule),
                 experiment.extended.schedule_from == at.step ? "begins here" : "continues");
    log.info("{}: task {}, model {} with {} parameters, {} steps of {} examples in {} shards on {} threads", experiment.name,
             experiment.data.name(), experiment.model.name(), made.store->count(), options().steps, options().batch,
             options().shards, request.threads);
    for (const std::string& line : task->describe()) log.info("{}", line);
    if (!begun_with.empty())
        log.info("{}", begun_with);
    if (!resuming)
        for (const std::string& line : other_settings(experiment))
            log.warning("init.from: that run was set to something else, which may mean other ids or another function: {}",
                        line);
    log.info("products: {}", gemm_library());  // and why not OpenBLAS's, where those fail
    if (const std::size_t limit = memory::address_limit(); limit < std::numeric_limits<std::size_t>::max())
        log.info("addresses: limited to {} MiB (ulimit -v), of which parameters may take {} MiB", limit >> 20,
                 made.store->reserved_bytes() >> 20);
    if (const int64_t frozen = frozen_count(*made.store); frozen > 0)
        log.info("{} of {} parameters are frozen", frozen, made.store->count());
}

void RunState::begin() {
    if (request.existing != Existing::resume) {
        lock = folder.lock();
        lock.watch(request.claim);
        folder.check(request.existing);  // another run may have come and gone since
    }
    lock.check_folder();  // data may have taken long to read
    const bool checkpointed = going_on();
    const ExtendedOptions extended_before = checkpointed ? folder.experiment().extended : ExtendedOptions();
    checkpointed ? begin_from_checkpoint() : begin_anew();
    log.open_log(folder.log(), checkpointed ? LogFile::append : LogFile::begin);
    metrics.emplace(folder, options().tensorboard ? Events::yes : Events::no,
                    checkpointed ? std::optional(at.step) : std::nullopt);
    samples.emplace(folder.samples());
    synchronise_folder(folder.root());
    log_beginning(extended_before);
    log.steps_begin(at.step, options().steps);
}

}  // namespace attend
