//! # The attribute `#[observed]`
//!
//! A decorator of a store has one method for each method of each port, all alike. This crate writes them, so that a new
//! method of a port is measured and traced without a line of code of its own. Read on in `latchkey_ports::observed`.

use proc_macro::TokenStream;
use quote::quote;
use syn::{
    FnArg, GenericArgument, Ident, ItemTrait, Pat, PathArguments, ReturnType, TraitItem, TraitItemFn, Type,
};

/// Implements a port for `Observed`: a call of an async method that returns a `Result` goes through `Observed::call` with
/// the name of the method, any other goes to the store itself. To be written above `#[async_trait]`.
#[proc_macro_attribute]
pub fn observed(_: TokenStream, item: TokenStream) -> TokenStream {
    let port = match syn::parse::<ItemTrait>(item) {
        Ok(port) => port,
        Err(error) => return error.into_compile_error().into(),
    };
    match methods(&port) {
        Ok(methods) => {
            let name = &port.ident;
            quote! {
                #port

                #[::async_trait::async_trait]
                impl<S: #name + ?Sized> #name for crate::observed::Observed<S> {
                    #(#methods)*
                }
            }
            .into()
        }
        Err(error) => error.into_compile_error().into(),
    }
}

fn methods(port: &ItemTrait) -> syn::Result<Vec<proc_macro2::TokenStream>> {
    port.items
        .iter()
        .map(|item| match item {
            TraitItem::Fn(method) => delegate(method),
            other => Err(syn::Error::new_spanned(other, "a port that is observed has methods alone")),
        })
        .collect()
}

/// Returns the implementation of one method.
fn delegate(method: &TraitItemFn) -> syn::Result<proc_macro2::TokenStream> {
    let signature = &method.sig;
    let name = &signature.ident;
    let arguments = arguments(method)?;
    let call = quote! { self.inner().#name(#(#arguments),*) };
    let body = match signature.asyncness {
        Some(_) if returns_result(&signature.output) => {
            let operation = name.to_string();
            quote! { self.call(#operation, #call).await }
        }
        Some(_) => quote! { #call.await },
        None => call,
    };
    Ok(quote! { #signature { #body } })
}

/// Returns the names of the arguments after `self`.
fn arguments(method: &TraitItemFn) -> syn::Result<Vec<&Ident>> {
    let typed = method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(argument) => Some(&*argument.pat),
        FnArg::Receiver(_) => None,
    });
    typed
        .map(|pattern| match pattern {
            Pat::Ident(argument) => Ok(&argument.ident),
            other => Err(syn::Error::new_spanned(other, "an argument of a port must have a plain name")),
        })
        .collect()
}

fn returns_result(output: &ReturnType) -> bool {
    let ReturnType::Type(_, output) = output else { return false };
    let Type::Path(path) = &**output else { return false };
    path.path.segments.last().is_some_and(|last| {
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
        last.ident == "Result" && matches!(arguments.args.first(), Some(GenericArgument::Type(_)))
    })
}
