#pragma once
/// The rows of metric_table().
#include "train/evaluate/metrics/metric.h"

namespace attend {

/// Share of the targets, eos included, whose most likely class given the targets before is the
/// right one; 0 to 1.
Metric make_accuracy();
/// Share of the rows with targets all of whose targets are predicted so; 0 to 1.
Metric make_row_accuracy();
/// Share of the rows with a label whose most likely class is the right one; 0 to 1.
Metric make_label_accuracy();
/// Loss in bits for each byte of the references: -sum log2 p / bytes. Comparable between tokenizers
/// where the references are the text itself, byte for byte (Tokenizer::exact()). Lower is better.
Metric make_bits_per_byte();
/// The metrics of decoded text compare it with EvaluatedExample::references. An example without any
/// is scored with another one of the same source and does not count here, so a source with several
/// right answers counts once.

/// Share of the sources whose decoded text equals one of the references, byte for byte; 0 to 1.
Metric make_exact_match();
/// Share of the sources whose decoded text equals none of the references: 1 - exact_match; 0 to 1.
/// The word error rate of grapheme-to-phoneme conversion and inflection, where an answer is one
/// word (not that of speech recognition, which counts the words to change in a sentence).
Metric make_word_error_rate();
/// Mean over the sources of the smallest (edit distance / symbols of the reference) over the
/// references: the phoneme error rate of grapheme-to-phoneme conversion as Wu and Cotterell's code
/// counts it. 0 is best; above 1 where text is far too long. A reference without symbols counts as
/// one symbol long.
Metric make_symbol_error_rate();
/// Mean over the sources of the smallest edit distance over the references, in symbols of the
/// target (edit_distance.h).
Metric make_edit_distance();
/// Corpus BLEU of the decoded texts, 0 to 100 (bleu.h).
Metric make_bleu();
/// Corpus chrF2 of the decoded texts, 0 to 100 (chrf.h).
Metric make_chrf();
/// Share of the target symbols with a gold source range whose most attended source position lies in
/// that range; 0 to 1. Computed on the weights of the teacher-forced pass over the reference, so
/// that row t belongs to reference symbol t whatever the model would have written itself; eos and
/// symbols without a range do not count. Of equal weights the first is the most attended; a row
/// without any weight is a miss. Examples without attention or gold alignment do not count. add()
/// throws MachineError when there are gold ranges for more symbols than rows.
Metric make_alignment_accuracy();
/// Share of the examples where at least half of the attention of the target's part of that name
/// (Task::target_parts) lies between the first and the last source position that the part's symbols
/// come from: whether the right field is read, whichever of its symbols. Half, because a symbol
/// that the source does not write (the zero of "03" where it says "3") may be read off the
/// neighbours, which show that the digit stands alone.
Metric make_part_alignment(const std::string& part);
/// Of rows without a source: share of the targets with a gold position at which a head looks most at
/// that position, for the head with the greatest share; 0 to 1. The head is chosen by the same
/// examples, so that with many heads the value is a little too high where none has learnt anything.
Metric make_alignment_best_head();
/// Mean entropy of the attention rows in nats, - sum_s a_s ln a_s, of the teacher-forced pass over
/// the reference, eos's row included. Rows without any weight do not count. Low: the model looks at
/// one place; ln S: everywhere. Neither is better: `better` says lower, as sharp maps are easier to
/// read.
Metric make_attention_entropy();

}  // namespace attend
