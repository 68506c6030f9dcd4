from seq2seq_lib.course.ch02_gru_and_lstm_gates import ex1_half_life, ex2_gru_step

EXERCISES = (*ex1_half_life.EXERCISES, *ex2_gru_step.EXERCISES)
