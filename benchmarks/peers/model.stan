// The model of priors/semianalysis.toml. Unknowns in vectors, the two disputed facts summed over by hand.
data {
  int chips;
  int states;
  vector[chips] peak;
  array[2] vector[chips] count_prior;
  array[2] vector[chips] power_prior;
  array[2] vector[8] positive_prior;
  array[2] vector[3] share_prior;
  array[4] vector[3] three_quantiles;
  array[2] vector[chips - 1] server_prior;
  matrix[chips - 1, chips - 1] server_cholesky;
  vector[2] attribution_ends;
  vector[2] life_ends;
  vector[2] life_shape;
  real hours_per_year;
  real horizon;
  real pretraining_flop;
  real final_hours;
  real later_hours;
  real df;
  real shared_share;
  real own_share;
  vector[5] log_figures;
  vector[5] figure_scales;
  real log_hours;
  real hours_scale;
  real multiplier_floor;
  real floor_scale;
  real ceiling_scale;
  matrix[states, chips] there;
  vector[states] log_weight;
}
parameters {
  vector<lower=0>[chips] count;
  vector<lower=0>[chips] power;
  vector<lower=0>[8] positive;
  vector[3] share_logit;
  vector[3] three_quantile_score;
  vector[chips - 1] server_score;
  real<lower=attribution_ends[1], upper=attribution_ends[2]> attribution;
  real<lower=0, upper=1> life_position;
  real shared_error;
}
transformed parameters {
  vector[3] share = inv_logit(share_logit);
  vector[3] bent = exp(three_quantiles[1] + three_quantiles[2] .* three_quantile_score
                       + three_quantiles[3] .* (sqrt(1 + square(three_quantiles[4] .* three_quantile_score)) - 1));
  vector[chips] server_cost = append_row(bent[1], exp(server_prior[1] + server_prior[2] .* (server_cholesky * server_score)));
  real research_multiplier = 1 + bent[3];
  real pretraining = pretraining_flop / (peak[2] * share[3] * 3600);
  real hours = pretraining + final_hours + later_hours;
  vector[chips] per_gpu = power * (hours_per_year * share[1] * (1 + positive[1]) * bent[2] + 12 * positive[2])
                          + positive[3] * server_cost;
  vector[states] hardware_if = there * (count .* server_cost);
  vector[states] operations_if = horizon * (there * (count .* per_gpu));
  vector[states] each;
  {
    vector[states] log_use = log(research_multiplier * hours * peak[2])
                             - log(attribution * hours_per_year * positive[4] * (there * (count .* peak)));
    vector[5] centre = shared_share * figure_scales * shared_error;
    vector[5] scale = own_share * figure_scales;
    real counts = student_t_lpdf(log_figures[1:3] | df, log(count[2:4]) + centre[1:3], scale[1:3]);
    for (s in 1:states) {
      each[s] = log_weight[s] + counts
                + student_t_lpdf(log_figures[4] | df, log(hardware_if[s]) + centre[4], scale[4])
                + student_t_lpdf(log_figures[5] | df, log(operations_if[s]) + centre[5], scale[5])
                - log1p_exp(log_use[s] / ceiling_scale);
    }
  }
}
model {
  count ~ lognormal(count_prior[1], count_prior[2]);
  power ~ lognormal(power_prior[1], power_prior[2]);
  positive ~ lognormal(positive_prior[1], positive_prior[2]);
  share_logit ~ normal(share_prior[1], share_prior[2]);
  three_quantile_score ~ std_normal();
  server_score ~ std_normal();
  life_position ~ beta(life_shape[1], life_shape[2]);
  shared_error ~ student_t(df, 0, 1);
  log_hours ~ student_t(df, log(pretraining), hours_scale);
  target += -log1p_exp(-log(research_multiplier / multiplier_floor) / floor_scale);
  target += log_sum_exp(each);
}
generated quantities {
  vector[states] weight = softmax(each);
  real final_run = (pretraining + final_hours) * positive[5];
  real official_runs = hours * positive[5];
  real research_compute = research_multiplier * official_runs;
  real staff = positive[6] * positive[7] * (1 + positive[8]);
  real development = research_compute + positive[4] * staff;
  real life = life_ends[1] + (life_ends[2] - life_ends[1]) * life_position;
  vector[chips] gpu_hour_owned = (server_cost / life + per_gpu) / (hours_per_year * share[2]);
}
