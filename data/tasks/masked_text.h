#pragma once
/// masked_text: running text with tokens to be guessed from both sides (data/masking.h; Devlin
/// 2018).
#include "data/tasks/running_text.h"

namespace attend {

struct MaskedTextOptions {
    TextOptions text;
    double mask_share = 0.15;
    bool whole_word = false;
    bool next_sentence = false;
    void fields(Visitor& v) {
        text.fields(v);
        v.number("mask_share", mask_share, {0.001, 1}, "share of the tokens that are masked: the model predicts them");
        v.flag("whole_word", whole_word, "whether words are chosen whole");
        v.flag("next_sentence", next_sentence,
               "two texts a row, the second one half of the time from elsewhere: that is labelled");
    }
};

/// A row is a window of text: `context` ids, "[CLS]" before and "[SEP]" after the text among them;
/// those of them that the tokenizer lacks are added to it (encoder_tokens). Batch::input is
/// corrupted, Batch::target holds the right ids of what is masked and id_ignored elsewhere.
/// With `next_sentence` a row is [CLS] A [SEP] B [SEP]; A and B are parts of at least a quarter of
/// the text each, cut at a drawn place; segments are 0 up to the first [SEP] and 1 after; label 0
/// says that B goes on with A, 1 that it begins at another place, drawn uniformly from all there
/// are.
///
/// Draws are of the streams (seed, "masking") at (batch, row) in training, so they are fresh in
/// every epoch, and (seed, "masking.evaluation") at the window's number in evaluation, so they are
/// the same whatever the batch. An example is an evaluation window; with `next_sentence` all of
/// them are whole.
///
/// Throws Error as RunningTextTask; for a context too short for the special tokens and a token (two
/// with next_sentence), a training part shorter than a window, or validation and test parts without
/// any window.
std::unique_ptr<Task> masked_text_task(const MaskedTextOptions& options, const TaskSetup& setup);

}  // namespace attend
