//! temporary
#[path = "it/generate.rs"]
mod generate;
#[path = "it/round_trip.rs"]
mod round_trip;
#[test]
fn sizes() {
    for len in [50usize, 100, 200, 400, 800, 1600] {
        let t = std::time::Instant::now();
        let mut total = 0;
        for seed in 0..200 { total += generate::yaml(&generate::document_of(&generate::bytes_of(seed, len))).len(); }
        println!("{len}: {} bytes avg {:?}", total / 200, t.elapsed());
    }
    println!("{}", generate::yaml(&generate::document_of(&generate::bytes_of(7, 400))));
}
